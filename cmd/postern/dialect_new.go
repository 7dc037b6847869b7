package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/draft"
)

// dialectNew writes the first version of a dialect's file.
type dialectNew struct {
	From           string   `placeholder:"FILE" help:"Take the answers from an entry of a catalogue (YAML or JSON); flags outweigh it."`
	Name           string   `help:"What the dialect is called."`
	Authorize      string   `placeholder:"URL" help:"Where people are sent to allow an app: an address or a path."`
	Token          string   `placeholder:"URL" help:"Where a code is exchanged."`
	Refresh        string   `placeholder:"URL" help:"Where a token is refreshed: an address, same (the default) or none."`
	Revoke         string   `placeholder:"URL" help:"Where an app ends a token; default none."`
	ScopeSeparator string   `placeholder:"WORD" help:"space (the default), comma, none, or the character."`
	ClientAuth     string   `placeholder:"WORD" help:"basic, body or either (the default)."`
	Body           string   `placeholder:"WORD" help:"form (the default) or json."`
	TokenPlace     string   `placeholder:"PLACE" help:"Bearer (the default), another word, header NAME, query NAME or basic user."`
	Level          string   `placeholder:"WORD" help:"user (the default) or account."`
	Member         []string `placeholder:"NAME=VALUE" help:"A further member of the token answer, as in team_id=$$account.id; may be given several times."`
	Out            string   `short:"o" placeholder:"FILE" help:"Where to write; default NAME.yaml, and - for the terminal."`
}

// Help is shown by --help.
func (dialectNew) Help() string {
	return `Asks a few questions about an old server and writes a dialect's file with comments,
which passes "dialect check". Without flags it asks; with --name, --authorize and
--token, or with --from, it does not.

Examples:
  postern dialect new
  postern dialect new --name acme --authorize https://login.acme.example/oauth/authorize --token /oauth/token --scope-separator comma
  postern dialect new --from entry.yaml --out acme.yaml`
}

// Run is what the command does.
func (c *dialectNew) Run(t *terminal) error {
	a, asks, err := c.answers()
	if err != nil {
		return err
	}
	if asks {
		if err := ask(a, os.Stdin, t.err); err != nil {
			return t.misused("%s", err)
		}
	}
	if missing := a.Missing(); len(missing) > 0 {
		return t.misused("missing: --%s; without any flag the questions are asked", strings.Join(missing, ", --"))
	}
	text, err := draft.Write(*a)
	if err != nil {
		return t.misused("%s", err)
	}
	name := c.Out
	if name == "" {
		name = a.Name + ".yaml"
	}
	for _, f := range dialect.Check(name, []byte(text), nil) { // two addresses that are one, a value that is none
		t.warn("%s", f)
		err = exit(failed)
	}
	if err != nil {
		return err
	}
	return c.write(t, name, text)
}

// answers are what flags and the entry say. Where they say nothing at all, the
// questions are asked.
func (c *dialectNew) answers() (a *draft.Answers, asks bool, err error) {
	a, asks = &draft.Answers{}, c.From == ""
	if c.From != "" {
		data, err := os.ReadFile(c.From)
		if err != nil {
			return nil, false, err
		}
		if a, err = draft.ReadEntry(c.From, data); err != nil {
			return nil, false, err
		}
	}
	flags := draft.Answers{Name: c.Name, Authorize: c.Authorize, Token: c.Token, Refresh: c.Refresh, Revoke: c.Revoke,
		ScopeSeparator: c.ScopeSeparator, ClientAuth: c.ClientAuth, Body: c.Body, TokenPlace: c.TokenPlace, Level: c.Level}
	for _, q := range draft.Questions {
		if given := *q.Of(&flags); given != "" {
			*q.Of(a), asks = given, false
		}
	}
	a.Members = append(a.Members, c.Member...)
	return a, asks && len(c.Member) == 0, nil
}

// ask puts the questions. An empty answer is the default.
func ask(a *draft.Answers, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	line := func(prompt string) (string, error) {
		fmt.Fprint(out, prompt)
		if !lines.Scan() {
			fmt.Fprintln(out)
			return "", errors.New("the questions were not answered to the end; on a terminal they can be, or use flags: --name, --authorize, --token")
		}
		return strings.TrimSpace(lines.Text()), nil
	}
	for _, q := range draft.Questions {
		for *q.Of(a) == "" {
			prompt := q.Text
			if q.Default != "" {
				prompt += " [" + q.Default + "]"
			}
			given, err := line(prompt + "? ")
			if err != nil {
				return err
			}
			*q.Of(a) = given
			if given == "" && !q.Needed {
				*q.Of(a) = q.Default
			}
		}
	}
	for {
		member, err := line("Another member of the token answer, as in team_id=$account.id [no more]? ")
		if err != nil || member == "" {
			return err
		}
		a.Members = append(a.Members, member)
	}
}

func (c *dialectNew) write(t *terminal, name, text string) error {
	if name == "-" {
		_, err := io.WriteString(t.out, text)
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another file with --out", name)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	t.say("%s is written. Mount it with dialects: [{file: %s}], and compare it with the old server:\n"+
		"  postern dialect record --listen 127.0.0.1:9000 --upstream URL --out %s\n  postern dialect check %s",
		name, name, strings.TrimSuffix(name, ".yaml"), name)
	return nil
}
