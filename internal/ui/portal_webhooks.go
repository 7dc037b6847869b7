package ui

import (
	"cmp"
	"time"

	"postern.dev/postern"
)

// WebhooksPage lists what was sent to an app's endpoint.
type WebhooksPage struct {
	AppFrame
	Token      string
	Endpoint   HookEndpoint
	State      string // that was chosen; empty: all
	Deliveries []DeliveryLine
	Older      string // the path of the next page; empty: there is none
	// Of the form by which some are sent again: the state, and the times between.
	Which        string // empty: those that were given up
	Since, Until Field
}

func (*WebhooksPage) Name() string { return "portal-webhooks" }
func (*WebhooksPage) Title() Text  { return Say("Webhooks") }

// States are what there is to choose.
func (p *WebhooksPage) States() []Option {
	return chosen(p.State, append([]Option{{Value: "", Text: Say("All")}, {Value: "open", Text: Say("On their way")}}, overStates()...))
}

// Again are the states that can be sent again.
func (p *WebhooksPage) Again() []Option {
	return chosen(cmp.Or(p.Which, "parked"), append(overStates(), Option{Value: "open", Text: Say("Waiting for their next try")}))
}

// overStates are those of deliveries that are over.
func overStates() []Option {
	return []Option{
		{Value: "parked", Text: Say("Given up")}, {Value: "delivered", Text: Say("Delivered")},
		{Value: "kept", Text: Say("Kept to be pulled")}, {Value: "withheld", Text: Say("Withheld")},
	}
}

// HookEndpoint is an app's endpoint and how it has been answering.
type HookEndpoint struct {
	URL                       string
	Status                    string // "none", "disabled", "failing", "healthy"
	Failures                  int
	FailingSince, LastSuccess time.Time
	Waiting, Parked           int64
	Ordered                   bool
}

// DeliveryLine is an event on its way to an app, or over.
type DeliveryLine struct {
	ID, Type        string
	At              time.Time
	Account         postern.Account // whom it is about; zero: nobody (any more)
	State           string          // "open", "delivered", "parked", "kept", "withheld"
	Attempts        int
	Behind          bool // an earlier one of its connection is still open
	NextTry, DoneAt time.Time
	Why             Text // it was not delivered
}

// DeliveryPage shows one with each attempt.
type DeliveryPage struct {
	AppFrame
	Token    string
	Delivery DeliveryLine
	Body     string // what is sent
	Attempts []AttemptLine
}

func (*DeliveryPage) Name() string { return "portal-delivery" }
func (*DeliveryPage) Title() Text  { return Say("Delivery") }

// Waits reports whether it can be sent before its time.
func (p *DeliveryPage) Waits() bool { return p.Delivery.State == "open" }

// AttemptLine is one request and what came of it.
type AttemptLine struct {
	Number int
	At     time.Time
	Took   time.Duration
	Status int // 0: there was no answer
	OK     bool
	Error  Text   // why there was no answer
	Reply  string // what the endpoint said
}

// Milliseconds is how long it took.
func (a AttemptLine) Milliseconds() int { return int(a.Took / time.Millisecond) }
