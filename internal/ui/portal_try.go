package ui

import "strings"

// TryPage walks through a connection's life in the sandbox, step by step.
type TryPage struct {
	AppFrame
	Token   string
	Action  string
	Lacks   []Step      // what comes before the first step
	People  []TryPerson // before the first step: who may be the person
	Walk    string      // sealed, for the next step
	Person  string
	Account string
	Steps   []TryStep // that were taken

	Next      Text // what comes next
	AskSecret bool
	Over      bool
	Dead      bool // the connection was ended
}

// TryPerson is somebody of the sandbox.
type TryPerson struct{ ID, Name, Role, Account string }

// TryStep is a step that was taken.
type TryStep struct {
	Title     Text
	Exchanges []TryExchange
	Failed    string
}

// Last reports whether a step is the latest, which is shown open.
func (p *TryPage) Last(i int) bool { return i == len(p.Steps)-1 }

// RequestID is that of the step's last request, as the answer names it; by it the
// log finds the line. Empty: the answer names none.
func (s TryStep) RequestID() string {
	if len(s.Exchanges) == 0 {
		return ""
	}
	_, after, _ := strings.Cut(s.Exchanges[len(s.Exchanges)-1].Answer, "\nX-Request-Id: ")
	id, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(id)
}

// TryExchange is a request and its answer.
type TryExchange struct {
	Request, Answer string
	Status          int
	NotSent         bool // the callback: the walk takes it itself
}

// First is the first line of the request, or of the answer.
func (x TryExchange) First() string {
	for i := range x.Request {
		if x.Request[i] == '\n' {
			return x.Request[:i]
		}
	}
	return x.Request
}

func (*TryPage) Name() string  { return "portal-try" }
func (p *TryPage) Title() Text { return Say("Try %s", p.App.Name) }
