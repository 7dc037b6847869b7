package ui

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
)

// LogPage lists what an app's programs asked.
type LogPage struct {
	AppFrame
	Usage   *Usage
	Entries []LogLine
	Filter  LogFilter
	Chosen  string // what was filtered by, as ?…: an entry leads back to it
	Older   string // the path of the next page; empty: there is none
	Most    int    // requests that are kept; 0: none are
	Days    int    // for how long
}

func (*LogPage) Name() string { return "portal-log" }
func (*LogPage) Title() Text  { return Say("Request log") }

// LogLines are requests of an app, as a list.
type LogLines struct {
	AppID  string
	Lines  []LogLine
	Chosen string // as in LogPage
}

// Lines are the page's own.
func (p *LogPage) Lines() LogLines { return LogLines{p.App.ID, p.Entries, p.Chosen} }

// LogFilter is what was chosen.
type LogFilter struct {
	Outcome, Origin, Endpoint, Account, Connection, Request string
}

// On reports whether anything was chosen.
func (f LogFilter) On() bool { return f != LogFilter{} }

// Known reports whether what was chosen of the lists is there.
func (f LogFilter) Known() bool {
	for _, list := range [][]Option{f.Outcomes(), f.Origins(), f.Endpoints()} {
		if !slices.ContainsFunc(list, func(o Option) bool { return o.Chosen }) {
			return false
		}
	}
	return true
}

// Outcomes are what there is to choose.
func (f LogFilter) Outcomes() []Option {
	return chosen(f.Outcome, []Option{
		{Value: "", Text: Say("All answers")}, {Value: "refused", Text: Say("Refused")},
		{Value: "granted", Text: Say("Granted")}, {Value: "no_effect", Text: Say("Without effect")},
	})
}

// Origins are what there is to choose.
func (f LogFilter) Origins() []Option {
	return chosen(f.Origin, []Option{
		{Value: "", Text: Say("Anybody’s")}, {Value: "own", Text: Say("Yours")}, {Value: "others", Text: Say("Not proved")},
	})
}

// Endpoints are what there is to choose.
func (f LogFilter) Endpoints() []Option {
	return chosen(f.Endpoint, append([]Option{{Value: "", Text: Say("All kinds")}}, endpointTexts()...))
}

// endpointTexts are the kinds of requests, as people call them.
func endpointTexts() []Option {
	return []Option{
		{Value: "authorize", Text: Say("Authorize")}, {Value: "consent", Text: Say("A person's answer")},
		{Value: "token", Text: Say("Token")}, {Value: "refresh", Text: Say("Refresh")},
		{Value: "revoke", Text: Say("Revoke")}, {Value: "introspect", Text: Say("Introspection")},
		{Value: "whoami", Text: Say("Who am I")}, {Value: "check", Text: Say("Call of the API")},
	}
}

func endpointText(name string) Text {
	for _, e := range endpointTexts() {
		if e.Value == name {
			return e.Text
		}
	}
	return Say("%s", name)
}

// LogLine is one request.
type LogLine struct {
	ID        int64
	At        time.Time
	RequestID string
	Dialect   string
	Endpoint  string
	Method    string
	Grant     string
	Status    int
	Took      time.Duration
	Address   string
	Outcome   string // "granted", "refused", "no_effect"
	Proved    bool
	Account   postern.Account
	// Connection is its id; empty: the request was about none.
	Connection string
	Rule       string
	What, Do   Text // why it was refused; empty when it was not
	More       int
	Sent       []Sent
	// Asked and Right are two texts that should have been the same.
	Asked, Right string
}

// Kind is what was asked.
func (l *LogLine) Kind() Text { return endpointText(l.Endpoint) }

// Time is how long it took, to the hundredth of a millisecond.
func (l *LogLine) Time() Text {
	hundredths := l.Took.Microseconds() / 10
	return Say("%d.%02d ms", hundredths/100, hundredths%100)
}

// Sent is a parameter, with secrets masked.
type Sent struct{ Name, Value string }

// masked is what stands for a secret: how long it is, for some with its beginning.
var masked = regexp.MustCompile(`^(?:(.+… )\()?([0-9]+) characters?\)?$`)

// Said is the value as the page says it.
func (s Sent) Said() Text {
	m := masked.FindStringSubmatch(s.Value)
	if m == nil {
		return SayPlain("%s", s.Value)
	}
	n, err := strconv.Atoi(m[2])
	switch {
	case err != nil:
		return SayPlain("%s", s.Value)
	case m[1] != "":
		return Say("%s (%d characters)", strings.TrimSpace(m[1]), n)
	case n == 1:
		return Say("%d character", n)
	}
	return Say("%d characters", n)
}

// LogEntryPage shows one request.
type LogEntryPage struct {
	AppFrame
	Entry  LogLine
	Chosen string // as in LogPage
}

func (*LogEntryPage) Name() string { return "portal-log-entry" }
func (*LogEntryPage) Title() Text  { return Say("Request") }

// Usage are an app's calls per day, as a picture and as a table.
type Usage struct {
	Days          []UsageDay
	Calls, Errors int64
	Strangers     int64    // refused in the app's name beside the calls: anybody's
	Most          UsageDay // the day with most calls
}

// UsageDay is one day, and its bar in a picture that is 100 high.
type UsageDay struct {
	Date          time.Time
	Calls, Errors int64
	Strangers     int64
	X             int // left edge; a bar is 8 wide, and 10 apart
	Top, Height   int // of all calls
	BadTop, Bad   int // of the refused ones, at the foot
}

// NewUsage draws days.
func NewUsage(days []UsageDay) *Usage {
	u := &Usage{Days: days}
	for _, d := range days {
		u.Calls += d.Calls
		u.Errors += d.Errors
		u.Strangers += d.Strangers
		if d.Calls > u.Most.Calls {
			u.Most = d
		}
	}
	for i := range days {
		d := &days[i]
		d.X = i*10 + 1
		d.Height, d.Bad = part(d.Calls, u.Most.Calls), part(d.Errors, u.Most.Calls)
		d.Top, d.BadTop = 100-d.Height, 100-d.Bad
	}
	return u
}

// part is a share of 100; what there is at all can be seen.
func part(n, most int64) int {
	if n == 0 || most == 0 {
		return 0
	}
	return max(2, int(n*100/most))
}

// Width is the picture's.
func (u *Usage) Width() int { return len(u.Days) * 10 }

// First and Last are its days.
func (u *Usage) First() time.Time { return u.Days[0].Date }

// Last is today.
func (u *Usage) Last() time.Time { return u.Days[len(u.Days)-1].Date }
