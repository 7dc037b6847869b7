package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/replay"
	"postern.dev/postern/internal/transcript"
	"postern.dev/postern/internal/yamlfile"
)

// dialectReplay plays transcripts.
type dialectReplay struct {
	JSON        bool     `help:"Print for programs."`
	File        string   `arg:"" help:"A dialect's file, or the name of a built-in one."`
	Transcripts []string `arg:"" optional:"" name:"transcript" help:"Transcripts, or folders of them; without any, those in the folder beside the file that has the dialect's name."`
}

// Help is shown by --help.
func (dialectReplay) Help() string {
	return `Plays recorded conversations against a throw-away Postern that speaks this
dialect, and compares its answers: status, the headers that are listed, and the
body byte by byte. Nothing is kept, and no port is opened. Ends with 1 where an
answer differs. The format is told in docs/transcripts.md.

Examples:
  postern dialect replay acme.yaml recorded/*.txt
  postern dialect replay xref connect.txt --json`
}

// Run is what the command does.
func (c *dialectReplay) Run(t *terminal) error {
	of, err := whichDialect(c.File)
	if err != nil {
		return err
	}
	files, err := c.files(of)
	if err != nil {
		return err
	}
	reports, err := play(context.Background(), of, files)
	if err != nil {
		return err
	}
	if c.JSON {
		err = t.json(reports)
	}
	differs := false
	for _, r := range reports {
		differs = differs || len(r.Differences) > 0
		if !c.JSON {
			t.report(r)
		}
	}
	if differs && err == nil {
		err = exit(failed)
	}
	return err
}

// report prints what came of a transcript.
func (t *terminal) report(r *replay.Report) {
	for _, d := range r.Differences {
		t.say("%s", d)
	}
	if len(r.Differences) == 0 {
		t.say("%s: %s, all as written", r.File, counted(r.Exchanges, "request"))
		return
	}
	t.say("%s: %s, %s", r.File, counted(r.Exchanges, "request"), counted(len(r.Differences), "difference"))
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// whichDialect is a built-in dialect by its name, or a file.
func whichDialect(given string) (config.Mount, error) {
	if slices.Contains(dialect.Builtin(), given) {
		return config.Mount{Name: given}, nil
	}
	_, err := os.Stat(given)
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(given) == given && filepath.Ext(given) == "" {
		return config.Mount{}, &dialect.NoDialect{Name: given}
	}
	if err != nil {
		return config.Mount{}, fmt.Errorf("the dialect: %w", err)
	}
	return config.Mount{File: given}, nil
}

// files are the transcripts that the command names, or else those beside the file.
func (c *dialectReplay) files(of config.Mount) (files []string, err error) {
	if len(c.Transcripts) == 0 {
		if of.File == "" {
			return nil, fmt.Errorf("name a transcript to play, as in `postern dialect replay %s connect.txt`", of.Name)
		}
		d, err := compiled(of.File)
		if err != nil {
			return nil, err
		}
		if files = beside(of.File, d.Name()); len(files) == 0 {
			return nil, fmt.Errorf("there is no transcript in %s; name one, or record some with `postern dialect record`", folder(of.File, d.Name()))
		}
		return files, nil
	}
	for _, given := range c.Transcripts {
		info, err := os.Stat(given)
		if err != nil {
			return nil, fmt.Errorf("the transcript: %w", err)
		}
		if !info.IsDir() {
			files = append(files, given)
			continue
		}
		found := in(given)
		if len(found) == 0 {
			return nil, fmt.Errorf("there is no transcript (*.txt) in %s", given)
		}
		files = append(files, found...)
	}
	return files, nil
}

func compiled(file string) (*dialect.Dialect, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return dialect.Library{}.Compile(file, data)
}

// folder is where the transcripts of a dialect's file are.
func folder(file, name string) string { return filepath.Join(filepath.Dir(file), name) }

func beside(file, name string) []string { return in(folder(file, name)) }

func in(dir string) []string {
	entries, _ := os.ReadDir(dir) // no folder has no transcripts
	var files []string
	for _, e := range entries {
		if !e.IsDir() && filepath.Ext(e.Name()) == ".txt" {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// play reads all transcripts, so that their mistakes are told at once, and then
// plays one after the other.
func play(ctx context.Context, of config.Mount, files []string) ([]*replay.Report, error) {
	var all []*transcript.Transcript
	var problems yamlfile.Problems
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		read, err := transcript.Parse(file, data)
		if found, ok := errors.AsType[yamlfile.Problems](err); ok {
			problems = append(problems, found...)
		} else if err != nil {
			return nil, err
		}
		all = append(all, read)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	reports := make([]*replay.Report, 0, len(all))
	for _, one := range all {
		r, err := replay.Play(ctx, one, replay.Options{Dialect: of})
		if err != nil {
			return nil, err
		}
		reports = append(reports, r)
	}
	return reports, nil
}
