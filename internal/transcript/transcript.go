// Package transcript reads and writes transcripts: conversations between
// partners, people and an OAuth server, in a format that people read as easily
// as programs (docs/transcripts.md). It plays nothing; package replay does.
package transcript

import "time"

// Transcript is a file: what is there before, and what happens in what order.
type Transcript struct {
	File  string
	Steps []Step
}

// Step is one thing that is declared or happens: *Comment, *App, *User, *Wait,
// *Restart, *Loose or *Exchange.
type Step interface{ at() int }

// Line is where a step begins, counted from 1.
type Line int

func (l Line) at() int { return int(l) }

// Comment is a line for readers, without its #.
type Comment struct {
	Line
	Text string
}

// App declares an app, or tells what has changed of one: @app client_id=x …
type App struct {
	Line
	Settings []Setting
}

// User says who sits at the browser from here on: @user ada of Acme …
type User struct {
	Line
	Name, Account string
	Settings      []Setting
}

// Setting is key=value.
type Setting struct{ Key, Value string }

// Get is the last value of a setting, or "".
func Get(all []Setting, key string) (value string) {
	for _, s := range all {
		if s.Key == key {
			value = s.Value
		}
	}
	return value
}

// Wait moves the clock: @wait 301s.
type Wait struct {
	Line
	For time.Duration
}

// Restart ends the server and starts it again on the same database: @restart.
type Restart struct{ Line }

// Loose says that from here on bodies are compared as JSON values: @loose.
type Loose struct{ Line }

// Exchange is a request and the answers that it may get.
type Exchange struct {
	Line
	Request Request
	// Asked is what the person does whom the request leads to: Allow, Deny, or
	// nothing, which is the request of a machine. Account is the one that the
	// person chooses, where there are several.
	Asked   Decision
	Account string
	// Times is how often the request is sent at once.
	Times   int
	Answers []*Answer
}

// Decision is what a person presses.
type Decision string

const (
	Nobody Decision = ""
	Allow  Decision = "Allow"
	Deny   Decision = "Deny"
)

// Request is what is sent. A nil Body is none.
type Request struct {
	Method string
	Target Text
	Header []Header
	Body   *Body
}

// Header is one line of a request's or an answer's.
type Header struct {
	Line
	Name  string
	Value Text
}

// Body is the text below the empty line; its lines are joined by line feeds.
type Body struct {
	Line
	Text Text
}

// Answer is what is expected: this status, these headers among others, and this
// body; a nil Body may be anything. With an exchange of many, it comes Least to
// Most times; a Most of 0 is no bound.
type Answer struct {
	Line
	Status      int
	Header      []Header
	Body        *Body
	Least, Most int
}

// Given are the names that an app's declaration gives: what the app knows of
// itself, its credentials as HTTP Basic sends them, and the server's issuer.
var Given = []string{"client_id", "client_secret", "redirect_uri", "basic", "issuer"}

// Apps are the apps that a transcript declares, in order, each once.
func (t *Transcript) Apps() (all []*App) {
	for _, s := range t.Steps {
		if a, ok := s.(*App); ok {
			all = append(all, a)
		}
	}
	return all
}

// Exchanges counts the requests.
func (t *Transcript) Exchanges() (n int) {
	for _, s := range t.Steps {
		if _, ok := s.(*Exchange); ok {
			n++
		}
	}
	return n
}
