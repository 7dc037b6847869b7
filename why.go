package postern

import (
	"strconv"
	"strings"
	"time"
)

// Rule is the stable word for one way to fail ("code_expired"). It is finer than
// a Kind, which is all that a wire can say. What each means, and what to do
// about it, is told by package requestlog.
type Rule string

// Why is what an app's own people may know of a refusal and nobody else: the
// rule that failed, and what it saw. It is kept in the app's request log and
// never said on a wire, so it may be precise. It holds no secret, and nothing of
// another app.
type Why struct {
	Rule Rule
	// Facts are what the rule's sentence speaks of, by name.
	Facts map[string]string

	// AppID is whom it concerns, where the request does not name the app; empty:
	// whom the request names.
	AppID        string
	AccountID    string
	ConnectionID string
	// Proved: the app had authenticated before this rule failed. What strangers can
	// bring about in an app's name is counted, and kept apart.
	Proved bool
}

// Because is Errorf for the refusal of an app's request: it also names the rule.
func Because(k Kind, rule Rule, format string, args ...any) *Error {
	e := Errorf(k, format, args...)
	e.Why = &Why{Rule: rule}
	return e
}

// With adds a fact. Only errors of one's own making are added to.
func (e *Error) With(name string, value any) *Error {
	e.Why.With(name, value)
	return e
}

// With adds a fact. A Secret becomes its length: its text is nobody's fact.
func (w *Why) With(name string, value any) *Why {
	if w.Facts == nil {
		w.Facts = map[string]string{}
	}
	switch v := value.(type) {
	case string:
		w.Facts[name] = bounded(v)
	case []string:
		w.Facts[name] = bounded(strings.Join(v, " "))
	case int:
		w.Facts[name] = strconv.Itoa(v)
	case bool:
		w.Facts[name] = strconv.FormatBool(v)
	case time.Time:
		w.Facts[name] = strconv.FormatInt(v.UnixMilli(), 10)
	case time.Duration:
		w.Facts[name] = strconv.FormatInt(v.Milliseconds(), 10)
	case Secret:
		w.Facts[name] = strconv.Itoa(len(v))
	}
	return w
}

// mostOfAFact bounds what a stranger's text can take of a log.
const mostOfAFact = 500

func bounded(s string) string {
	s = HideSecrets(strings.ToValidUTF8(s, "\uFFFD"))
	for i := range s {
		if i > mostOfAFact {
			return s[:i] + "…"
		}
	}
	return s
}

// About says whom a refusal concerns, once the app has proved who it is; an
// error that names no rule is left alone.
func (e *Error) About(appID, accountID, connectionID string) {
	if e.Why == nil {
		return
	}
	e.Why.AppID, e.Why.AccountID, e.Why.ConnectionID, e.Why.Proved = appID, accountID, connectionID, true
}
