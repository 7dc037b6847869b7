package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/server"
)

type dialectCommand struct {
	List  dialectList  `cmd:"" help:"List the dialects: those that a configuration mounts, or the built-in ones."`
	Show  dialectShow  `cmd:"" help:"Print a dialect's file, or with --full all that it amounts to."`
	Docs  dialectDocs  `cmd:"" help:"Write the guide for a dialect's partners: each request in curl and four languages."`
	Check dialectCheck `cmd:"" help:"Find everything wrong with dialect files."`

	Replay dialectReplay `cmd:"" help:"Play recorded conversations and compare the answers."`
	Record dialectRecord `cmd:"" help:"Record conversations with an old server."`
	New    dialectNew    `cmd:"" help:"Write the first version of a dialect's file."`
	Schema dialectSchema `cmd:"" help:"Print a JSON Schema of dialect files, for editors."`
}

// optional is a configuration that a command uses where there is one.
type optional struct {
	Config string `short:"c" placeholder:"FILE" env:"POSTERN_CONFIG" help:"The configuration file, whose mounts count then."`
}

// read reads the configuration; nil without one.
func (o *optional) read(t *terminal) (*config.Config, error) {
	if o.Config == "" {
		return nil, nil
	}
	from := source{Config: o.Config}
	return from.open(t)
}

// mounts are the dialects that a configuration mounts; nil without one.
func mounts(cfg *config.Config) (*dialect.Set, error) {
	if cfg == nil {
		return nil, nil
	}
	return server.Mounts(cfg)
}

// find is a dialect by its name: a mounted one, else a built-in one.
func find(cfg *config.Config, name string) (*dialect.Dialect, error) {
	mounted, err := mounts(cfg)
	if err != nil {
		return nil, err
	}
	if mounted != nil {
		if d, ok := mounted.Get(name); ok {
			return d, nil
		}
	}
	return dialect.Library{}.Builtin(name)
}

// dialectList lists what is spoken.
type dialectList struct {
	optional
	JSON bool `help:"Print for programs."`
}

// Help is shown by --help.
func (dialectList) Help() string {
	return `Examples:
  postern dialect list
  postern dialect list --config postern.yaml --json`
}

// listed is a dialect in a list.
type listed struct {
	Name     string   `json:"name"`
	Mounted  bool     `json:"mounted"`
	Base     string   `json:"base"`
	Level    string   `json:"level"`
	Insecure []string `json:"insecure,omitempty"`
}

// Run is what the command does.
func (c *dialectList) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	mounted, err := mounts(cfg)
	if err != nil {
		return err
	}
	var list []listed
	seen := map[string]bool{}
	add := func(d *dialect.Dialect, mounted bool) {
		l := listed{Name: d.Name(), Mounted: mounted, Base: d.Base(), Level: string(d.Level())}
		for _, i := range d.Insecure() {
			l.Insecure = append(l.Insecure, i.Key)
		}
		list, seen[d.Name()] = append(list, l), true
	}
	if mounted != nil {
		for _, d := range mounted.List() {
			add(d, true)
		}
	}
	for _, name := range dialect.Builtin() {
		d, err := dialect.Library{}.Builtin(name)
		if err != nil {
			return err
		}
		if !seen[name] {
			add(d, false)
		}
	}
	if c.JSON {
		return t.json(list)
	}
	for _, l := range list {
		where := "built in"
		if l.Mounted {
			where = "mounted at " + l.Base + "/"
		}
		line := fmt.Sprintf("%-16s %-8s %s", l.Name, l.Level, where)
		if len(l.Insecure) > 0 {
			line += ", with " + strings.Join(l.Insecure, ", ")
		}
		t.say("%s", line)
	}
	return nil
}

// dialectShow prints a file.
type dialectShow struct {
	optional
	Full bool   `help:"With everything that the file leaves to the language, and what it extends."`
	Name string `arg:"" help:"A dialect."`
}

// Help is shown by --help.
func (dialectShow) Help() string {
	return `A dialect of your own begins well with one of these; it may also say
"extends: NAME" and only what differs.

Examples:
  postern dialect show xref > acme.yaml
  postern dialect show acme --full --config postern.yaml`
}

// Run is what the command does.
func (c *dialectShow) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	d, err := find(cfg, c.Name)
	if err != nil {
		return err
	}
	if c.Full {
		_, err = io.WriteString(t.out, d.Full())
		return err
	}
	data, ok := dialect.BuiltinFile(c.Name)
	if !ok {
		return fmt.Errorf("%s comes from a file of yours; --full shows all that it amounts to", c.Name)
	}
	_, err = t.out.Write(data)
	return err
}

// dialectCheck finds what is wrong with files.
type dialectCheck struct {
	optional
	JSON   bool     `help:"Print for programs."`
	Strict bool     `help:"Warnings are errors."`
	Files  []string `arg:"" name:"file" help:"Dialect files."`
}

// Help is shown by --help.
func (dialectCheck) Help() string {
	return `Reports everything at once, in file order: form first, then lints, each with its
reason and remedy; then plays the transcripts in the folder beside the file that
has the dialect's name (acme/*.txt), as "dialect replay" does. With a configuration it also finds routes that another
mounted dialect claims. Ends with 1 on errors.

Example:
  postern dialect check acme.yaml --strict`
}

// Run is what the command does.
func (c *dialectCheck) Run(t *terminal) error {
	cfg, err := c.read(t)
	if err != nil {
		return err
	}
	others, err := mounts(cfg)
	if err != nil {
		return err
	}
	all, played := []finding{}, 0 // for JSON, an empty list
	for _, file := range c.Files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		found, n, err := examine(file, data, others)
		if err != nil {
			return err
		}
		all, played = append(all, found...), played+n
	}
	if c.JSON {
		if err := t.json(all); err != nil {
			return err
		}
	}
	bad := false
	for _, f := range all {
		bad = bad || !f.Warning || c.Strict
		if !c.JSON {
			t.say("%s", f)
		}
	}
	if bad {
		return exit(failed)
	}
	if len(all) == 0 && !c.JSON {
		t.say("%s", faultless(c.Files, played))
	}
	return nil
}
