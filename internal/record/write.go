package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"postern.dev/postern/internal/transcript"
)

// writer writes the transcript of one app.
type writer struct {
	app    string
	list   []*said
	secret string // the one that works
	masks  *masks
	loose  bool // a body could not be kept byte for byte
}

func newWriter(app string, list []*said) *writer {
	w := &writer{app: app, list: list}
	if w.app == "" {
		w.app = "unknown-app"
	}
	for _, s := range list {
		_, secret := s.request.credentials()
		if secret != "" && (w.secret == "" || s.answer.Status < 300) {
			w.secret = secret
		}
	}
	w.masks = newMasks(w.app, w.secret)
	w.masks.words = list[0].request.words
	return w
}

func (w *writer) transcript() *transcript.Transcript {
	var steps []transcript.Step
	for _, s := range w.list {
		steps = append(steps, w.step(s)...)
	}
	head := []transcript.Step{
		&transcript.Comment{Text: " Recorded. Secrets are masked; what the server made itself stands as a name."},
		w.declared(),
	}
	if slices.ContainsFunc(w.list, func(s *said) bool { return s.decision() != transcript.Nobody }) {
		head = append(head, &transcript.User{Name: "user", Account: "Account"})
	}
	if w.loose {
		head = append(head, &transcript.Loose{})
	}
	return &transcript.Transcript{File: w.app, Steps: append(head, steps...)}
}

// declared is the app as it shows.
func (w *writer) declared() *transcript.App {
	a := &transcript.App{Settings: []transcript.Setting{{Key: "client_id", Value: w.app}}}
	add := func(key, value string) {
		if s := (transcript.Setting{Key: key, Value: value}); value != "" && !slices.Contains(a.Settings, s) {
			a.Settings = append(a.Settings, s)
		}
	}
	if w.secret != "" {
		add("client_secret", "secret-of-"+w.app)
	} else {
		add("public", "true")
	}
	var scopes []string
	for _, s := range w.list {
		if s.callback != nil {
			add("redirect_uri", s.redirectURL())
		}
		for _, scope := range strings.FieldsFunc(s.request.parameter("scope"), func(r rune) bool { return r == ' ' || r == ',' }) {
			if s.granted() && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
	}
	add("scopes", strings.Join(scopes, ","))
	return a
}

// step is an exchange, or a comment that says why it is left out.
func (w *writer) step(s *said) []transcript.Step {
	left := func(why string) []transcript.Step {
		what := "a request"
		if isLine(s.request.path()) && isMethod.MatchString(s.request.Method) {
			what = s.request.Method + " " + w.masks.hidden(s.request.path())
		}
		return []transcript.Step{&transcript.Comment{Text: fmt.Sprintf(" Left out here: %s answered %d, %s.", what, s.answer.Status, why)}}
	}
	if s.request.Cut || s.answer.Cut {
		return left("with a body that is too long")
	}
	if why := s.unwritable(); why != "" {
		return left(why)
	}
	x := &transcript.Exchange{Asked: s.decision(), Times: 1, Request: transcript.Request{
		Method: s.request.Method, Target: w.target(s.request), Header: w.requestHeader(s.request)}}
	if s.request.Body != "" {
		x.Request.Body = &transcript.Body{Text: w.masks.edited(s.request.Body, w.requestEdits(scalarsOf(mediaType(s.request.Header), s.request.Body)))}
	}
	if w.masks.strangers > 0 && s.answer.Status < 300 {
		w.masks.strangers = 0
		return left("to a credential from before the recording")
	}
	w.masks.strangers = 0
	a := &transcript.Answer{Status: s.answer.Status, Least: 1, Most: 1, Header: w.answerHeader(s)}
	if s.callback == nil {
		a.Body = &transcript.Body{Text: w.answerBody(s.answer)}
	}
	x.Answers = []*transcript.Answer{a}
	return []transcript.Step{x}
}

// unwritable says why lines cannot hold a request or an answer.
func (s *said) unwritable() string {
	isJSON := json.Valid([]byte(s.answer.Answer)) // can be written in another way
	switch {
	case !isLine(s.request.Target) || !isMethod.MatchString(s.request.Method) || !isText(s.request.Body) || !areLines(s.request.Header):
		return "to bytes that are no text"
	case !areLines(s.answer.Said) || s.callback == nil && !isJSON && !isText(s.answer.Answer):
		return "with bytes that are no text"
	}
	return ""
}

var isMethod = regexp.MustCompile(`^[A-Z]{1,20}$`)

// isText reports whether lines can hold a text.
func isText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || r < ' ' && r != '\n' && r != '\t' })
}

// isLine reports whether an address can stand in a line.
func isLine(target string) bool {
	return strings.HasPrefix(target, "/") && isText(target) && !strings.ContainsAny(target, " \n\t")
}

func areLines(h http.Header) bool {
	for _, values := range h {
		for _, v := range values {
			if !isText(v) || strings.Contains(v, "\n") {
				return false
			}
		}
	}
	return true
}

func (w *writer) target(x *Exchange) transcript.Text {
	path, query, asks := strings.Cut(x.Target, "?")
	t := w.masks.edited(path, nil)
	if asks {
		t = append(t, transcript.Literal("?")...)
		t = append(t, w.masks.edited(query, w.requestEdits(formScalars(query)))...)
	}
	return t
}

// personal are parameters that say who somebody is.
var personal = []string{"login_hint", "username", "email", "id_token_hint", "password"}

// requestEdits mask the credentials of a request.
func (w *writer) requestEdits(all []scalar) (edits []edit) {
	for _, p := range all {
		switch name := w.masks.words.means(p.name); {
		case p.value == "":
		case name == "client_secret":
			edits = append(edits, edit{p.start, p.end, w.masks.clientSecret(p.value)})
		case slices.Contains(secretNames, name) || name == "client_assertion":
			edits = append(edits, edit{p.start, p.end, w.masks.presented(p.value)})
		case slices.Contains(personal, name):
			edits = append(edits, edit{p.start, p.end, transcript.Literal("masked")})
		}
	}
	return edits
}

// requestHeader keeps what an OAuth server reads.
func (w *writer) requestHeader(x *Exchange) (out []transcript.Header) {
	for _, name := range sortedNames(x.Header) {
		for _, value := range x.Header[name] {
			switch meaning := w.masks.words[headerWord+name]; {
			case meaning == "client_secret":
				out = append(out, transcript.Header{Name: name, Value: w.masks.clientSecret(value)})
			case meaning == "client_id":
				out = append(out, transcript.Header{Name: name, Value: transcript.Literal(value)})
			case meaning != "":
				out = append(out, transcript.Header{Name: name, Value: w.masks.presented(value)})
			case name == "Content-Type", name == "Accept" && value != "*/*" && !strings.HasPrefix(value, "text/html"), strings.HasSuffix(name, "-Version"):
				out = append(out, transcript.Header{Name: name, Value: transcript.Literal(value)})
			case name == "Authorization":
				out = append(out, transcript.Header{Name: name, Value: w.masks.authorization(value)})
			case w.masks.knows(value):
				out = append(out, transcript.Header{Name: name, Value: w.masks.presented(value)})
			}
		}
	}
	return out
}

// answerHeader keeps what a client reads. Of a type only the media type counts.
func (w *writer) answerHeader(s *said) (out []transcript.Header) {
	h := s.answer.Said
	if s.callback != nil {
		to := h.Get("Location")
		at := strings.IndexByte(to, '?')
		t := transcript.Literal(to[:at+1])
		t = append(t, w.masks.edited(to[at+1:], w.masks.told(s.callbackScalars(to[at+1:]), true))...)
		return append(out, transcript.Header{Name: "Location", Value: t})
	}
	if media := mediaType(h); media != "" {
		name := "type_" + strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return '_'
		}, media)
		p, err := transcript.Named(name, strings.ReplaceAll(quotedPattern(media), "/", `\/`)+"(?: *;.*)?", "")
		if err == nil {
			out = append(out, transcript.Header{Name: "Content-Type", Value: transcript.Text{p}})
		}
	}
	for _, name := range []string{"WWW-Authenticate", "Allow"} {
		for _, value := range h.Values(name) {
			out = append(out, transcript.Header{Name: name, Value: w.masks.edited(value, nil)})
		}
	}
	return out
}

// callbackScalars are the parameters of a callback, without those that the
// registered address has itself.
func (s *said) callbackScalars(query string) []scalar {
	_, own, _ := strings.Cut(s.redirectURL(), "?")
	registered := formScalars(own)
	return slices.DeleteFunc(formScalars(query), func(p scalar) bool {
		return slices.ContainsFunc(registered, func(o scalar) bool { return o.name == p.name && o.value == p.value })
	})
}

// granted reports whether the server took what was asked for.
func (s *said) granted() bool {
	return s.answer.Status < 400 && (s.callback == nil || s.decision() != transcript.Nobody)
}

func (w *writer) answerBody(x *Exchange) transcript.Text {
	body := x.Answer
	if json.Valid([]byte(body)) && strings.ContainsAny(body, "\r\ufffd") {
		var b bytes.Buffer
		if json.Compact(&b, []byte(body)) == nil {
			body, w.loose = b.String(), true
		}
	}
	return w.masks.edited(body, w.masks.told(scalarsOf(mediaType(x.Said), body), x.Status < 300))
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func quotedPattern(s string) string {
	return strings.NewReplacer(".", `\.`, "+", `\+`, "*", `\*`).Replace(s)
}
