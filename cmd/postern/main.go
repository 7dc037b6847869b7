// Command postern is the operator's terminal: it starts the server, brings the
// database to what files declare, and tells whether an installation is healthy.
//
// It ends with 0 when all went well, 2 when the command line is wrong, and 1 for
// every other failure.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

const (
	failed = 1
	misuse = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// commands is what there is to type.
type commands struct {
	Dev      devCommand      `cmd:"" help:"Run the whole product on this machine, with nothing set up."`
	Serve    serve           `cmd:"" help:"Run the server."`
	Apply    apply           `cmd:"" help:"Bring the database to what resources files declare."`
	Migrate  migrate         `cmd:"" help:"Bring the database's schema up to date."`
	Doctor   doctor          `cmd:"" help:"Tell whether this installation is healthy, and if not what to do."`
	Token    tokenCommand    `cmd:"" help:"Operators' tokens for the REST API."`
	Keys     keysCommand     `cmd:"" help:"The keys that sign access tokens."`
	User     userCommand     `cmd:"" help:"End users."`
	Partner  partnerCommand  `cmd:"" help:"People of partners, at the portal."`
	App      appCommand      `cmd:"" help:"Partners' apps, and your approval of them."`
	Operator operatorCommand `cmd:"" help:"People who run Postern, at the console."`
	Webhook  webhookCommand  `cmd:"" help:"What apps are told: history, replay, tests."`
	Dialect  dialectCommand  `cmd:"" help:"The wires that this server speaks."`
	Version  version         `cmd:"" help:"Print the version."`
}

// terminal is where a command writes.
type terminal struct {
	out, err io.Writer
}

func (t *terminal) say(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }
func (t *terminal) warn(format string, args ...any) {
	fmt.Fprintf(t.err, "postern: "+format+"\n", args...)
}

// json writes a value for programs.
func (t *terminal) json(v any) error {
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// exit ends a command whose output has said all.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// run is the program without its process.
func run(args []string, out, errOut io.Writer) (code int) {
	t := &terminal{out: out, err: errOut}
	defer func() { // --help ends the parser here
		if e, ok := recover().(exit); ok {
			code = int(e)
		}
	}()
	parser := kong.Must(&commands{},
		kong.Name("postern"),
		kong.Description("OAuth for your partners: one server, and the wire that each of them already speaks."),
		kong.Writers(out, errOut),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Bind(t),
	)
	parsed, err := parser.Parse(args)
	if err != nil {
		t.warn("%s", misused(args, err))
		return misuse
	}
	return t.code(parsed.Run())
}

// misused is what was wrong with the command line and where help is.
func misused(args []string, err error) string {
	command := "postern"
	if e, ok := errors.AsType[*kong.ParseError](err); ok && e.Context != nil {
		if path := e.Context.Command(); path != "" {
			for _, word := range strings.Fields(path) {
				if strings.HasPrefix(word, "<") {
					break
				}
				command += " " + word
			}
		}
	}
	if len(args) == 0 {
		return "no command given; `postern --help` lists them"
	}
	what := err.Error()
	if flag, _, ok := strings.Cut(what, `: expected string value but got "EOL"`); ok {
		what = flag + " needs a value"
	}
	return fmt.Sprintf("%s; see `%s --help`", what, command)
}

// code tells a command's failure: problems of a file as they are, each a line
// that begins with its place; anything else as one line.
func (t *terminal) code(err error) int {
	if err == nil {
		return 0
	}
	if e, ok := errors.AsType[exit](err); ok {
		return int(e)
	}
	if problems, ok := errors.AsType[yamlfile.Problems](err); ok {
		fmt.Fprintln(t.err, problems)
		return failed
	}
	t.warn("%s", strings.Join(strings.Fields(plainly(err)), " "))
	return failed
}

// plainly is an error as people read it: without the word that programs tell
// kinds by.
func plainly(err error) string {
	e, ok := errors.AsType[*postern.Error](err)
	switch {
	case !ok || e.Error() != err.Error(): // wrapped: the words around it count
		return err.Error()
	case e.Msg != "":
		return e.Msg
	case e.Kind == postern.Unavailable:
		return "the database does not answer: " + e.Err.Error()
	}
	return e.Err.Error()
}
