package main

import (
	"fmt"
	"os"
	"strings"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/server"
	"postern.dev/postern/internal/yamlfile"
)

type dialectCommand struct {
	List  dialectList  `cmd:"" help:"List the dialects: those that a configuration mounts, or the built-in ones."`
	Show  dialectShow  `cmd:"" help:"Print a dialect's file."`
	Check dialectCheck `cmd:"" help:"Find everything wrong with dialect files."`
}

// optional is a configuration that a command uses where there is one.
type optional struct {
	Config string `short:"c" placeholder:"FILE" env:"POSTERN_CONFIG" help:"The configuration file, whose mounts count then."`
}

// mounts are the dialects that the configuration mounts; nil without one.
func (o *optional) mounts(t *terminal) (*dialect.Set, error) {
	if o.Config == "" {
		return nil, nil
	}
	from := source{Config: o.Config}
	cfg, err := from.open(t)
	if err != nil {
		return nil, err
	}
	return server.Mounts(cfg)
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
	mounted, err := c.mounts(t)
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
	Name string `arg:"" help:"A built-in dialect."`
}

// Help is shown by --help.
func (dialectShow) Help() string {
	return `A dialect of your own begins well with one of these; it may also say
"extends: NAME" and only what differs.

Example:
  postern dialect show xref > acme.yaml`
}

// Run is what the command does.
func (c *dialectShow) Run(t *terminal) error {
	data, ok := dialect.BuiltinFile(c.Name)
	if !ok {
		return fmt.Errorf("there is no built-in dialect %q%s", c.Name, yamlfile.Suggest(c.Name, dialect.Builtin()))
	}
	_, err := t.out.Write(data)
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
reason and remedy. With a configuration it also finds routes that another
mounted dialect claims. Ends with 1 on errors.

Example:
  postern dialect check acme.yaml --strict`
}

// Run is what the command does.
func (c *dialectCheck) Run(t *terminal) error {
	others, err := c.mounts(t)
	if err != nil {
		return err
	}
	all := []dialect.Finding{} // for JSON, an empty list
	for _, file := range c.Files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all = append(all, dialect.Check(file, data, others)...)
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
		t.say("%s: nothing to find fault with", strings.Join(c.Files, ", "))
	}
	return nil
}
