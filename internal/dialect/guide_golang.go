package dialect

import (
	"fmt"
	"go/format"
	"reflect"
	"regexp"
	"strings"
)

var goTongue = &tongue{
	id: "go", title: "Go", fence: "go",
	name: camel, quote: doubleQuoted, join: " + ",
	base64: "base64.StdEncoding.EncodeToString([]byte(%s))", base64URL: "base64.RawURLEncoding.EncodeToString([]byte(%s))",
	escape: "url.PathEscape(%s)", form: "form(%s)", json: "asJSON(%s)", nothing: `""`,
	fields: func(names, values []string) string {
		var members []string
		for i, name := range names {
			members = append(members, doubleQuoted(name)+": "+values[i])
		}
		if len(members) == 0 {
			return "nil"
		}
		return laid("fields{", "}", "\t\t", members)
	},
	at: func(of string, w *where) string {
		for i, name := range w.path {
			if i > 0 {
				of = "member(" + of + ")"
			}
			of += "[" + doubleQuoted(name) + "]"
		}
		switch w.encoding {
		case asBase64:
			return "decoded(base64.StdEncoding, " + of + ")"
		case asBase64URL:
			return "decoded(base64.RawURLEncoding, " + of + ")"
		}
		return "textOf(" + of + ")"
	},
	write: writeGo,
}

func writeGo(l *tongue, s *steps) []snippet {
	typed := func(m *message) string {
		if parameters := l.parameters(m); parameters != "" {
			return parameters + " string"
		}
		return ""
	}
	tokens := func(name string, p tokenPlaces) string {
		more := ""
		if p.refresh != nil {
			more += ", RefreshToken: " + l.at("a.Said", p.refresh)
		}
		if p.account != nil {
			more += ", AccountID: " + l.at("a.Said", p.account)
		}
		return fmt.Sprintf(`// %s reads an answer: one without an access token is a refusal.
func %s(a *answer, err error) (*tokens, error) {
	if err != nil {
		return nil, err
	}
	t := &tokens{AccessToken: %s%s, Said: a.Said}
	if t.AccessToken == "" {
		return nil, fmt.Errorf("refused with %%d: %%s", a.Status, a.Text)
	}
	return t, nil
}`, name, name, l.at("a.Said", p.access), more)
	}
	function := func(name string, m *message) string {
		return fmt.Sprintf("func %s(%s) (*answer, error) {\nreturn %s\n}", name, typed(m), l.send(m))
	}
	out := []snippet{{"setup", ""}, {"connect", paragraphs(
		`// newSecret is a state, which you keep in the person's session until they come
// back`+when(s.pkce, `, or a verifier, which is kept there too`)+`.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}`,
		when(s.pkce, `// challengeOf is the digest of a verifier, which the link carries.
func challengeOf(codeVerifier string) string {
	sum := sha256.Sum256([]byte(codeVerifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}`),
		fmt.Sprintf("func connectURL(%s) string {\nreturn %s\n}", typed(s.connect), l.address(s.connect)))}}
	one := func(w *where) string {
		said := "query.Get(" + doubleQuoted(w.path[0]) + ")"
		switch w.encoding {
		case asBase64:
			return "decoded(base64.StdEncoding, " + said + ")"
		case asBase64URL:
			return "decoded(base64.RawURLEncoding, " + said + ")"
		}
		return said
	}
	out = append(out, snippet{"callback", fmt.Sprintf(`// callback reads what came back and gives the code. Where the session has no
// state, the answer is to nobody's question.
func callback(query url.Values, state string) (code string, err error) {
	if state == "" || subtle.ConstantTimeCompare([]byte(%s), []byte(state)) == 0 {
		return "", errors.New("not the answer to this person's question")
	}
	if why := %s; why != "" {
		return "", errors.New("not connected: " + why)
	}
	return %s, nil
}`, one(s.state), one(s.error), one(s.code))})
	out = append(out, snippet{"exchange", paragraphs(`type tokens struct {
	AccessToken, RefreshToken, AccountID string
	Said map[string]any // the whole answer
}`, tokens("readTokens", s.exchanged),
		fmt.Sprintf("func exchange(%s) (*tokens, error) {\nreturn readTokens(%s)\n}", typed(s.exchange), l.send(s.exchange)))})
	out = append(out, snippet{"call", function("call", s.call)})
	if s.whoami != nil {
		out = append(out, snippet{"whoami", function("whoami", s.whoami)})
	}
	if s.refresh != nil {
		reader, own := "readTokens", ""
		if !reflect.DeepEqual(s.exchanged, s.refreshed) {
			reader, own = "readRefreshed", tokens("readRefreshed", s.refreshed)
		}
		out = append(out, snippet{"refresh", paragraphs(own,
			fmt.Sprintf("func refresh(%s) (*tokens, error) {\nreturn %s(%s)\n}", typed(s.refresh), reader, l.send(s.refresh)))})
	}
	if s.disconnect != nil {
		out = append(out, snippet{"disconnect", fmt.Sprintf(`func disconnect(%s) error {
	a, err := %s
	if err == nil && a.Status >= 300 {
		err = fmt.Errorf("not disconnected, %%d: %%s", a.Status, a.Text)
	}
	return err
}`, typed(s.disconnect), l.send(s.disconnect))})
	}
	out[0].text = goSetup(s, out)
	for i := range out {
		if text, err := format.Source([]byte(out[i].text)); err == nil {
			out[i].text = strings.TrimSpace(string(text))
		}
	}
	return out
}

// goHelpers are what a Go program has only where it uses it, for Go wants it so.
var goHelpers = []struct{ use, text string }{
	{"asJSON(", `func asJSON(of fields) string {
	b, _ := json.Marshal(of) // texts alone: it cannot fail
	return string(b)
}`},
	{"form(", `func form(of fields) string {
	values := url.Values{}
	for name, value := range of {
		values.Set(name, value)
	}
	return values.Encode()
}`},
	{"member(", `func member(of any) map[string]any {
	m, _ := of.(map[string]any)
	return m
}`},
	{"textOf(", `func textOf(said any) string {
	text, _ := said.(string)
	return text
}`},
	{"decoded(", `func decoded(e *base64.Encoding, said any) string {
	text, _ := said.(string)
	b, _ := e.DecodeString(text)
	return string(b)
}`},
}

var goPackages = []string{"crypto/rand", "crypto/sha256", "crypto/subtle", "encoding/base64", "encoding/json", "errors", "fmt", "io", "net/http", "net/url", "os", "strings", "time"}

func goSetup(s *steps, parts []snippet) string {
	used := ""
	for _, p := range parts {
		used += p.text + "\n"
	}
	var environment []string
	for _, name := range s.environment() {
		environment = append(environment, fmt.Sprintf("%s = os.Getenv(%q)", camel(name), name))
	}
	setup := paragraphs("var (\n"+strings.Join(environment, "\n")+"\n)", "type fields map[string]string", `type answer struct {
	Status int
	Text string
	Said map[string]any
}

// client follows no redirect: this server's machines never send one.
var client = &http.Client{
	Timeout: 10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// send makes a request and reads its answer, which is JSON or a form.
func send(method, address string, header fields, body string) (*answer, error) {
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	got, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	a := &answer{Status: got.StatusCode, Text: string(text), Said: map[string]any{}}
	if strings.HasPrefix(got.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		values, _ := url.ParseQuery(a.Text)
		for name := range values {
			a.Said[name] = values.Get(name)
		}
	} else {
		_ = json.Unmarshal(text, &a.Said) // no body, or one for people
	}
	return a, nil
}`)
	for _, h := range goHelpers {
		if strings.Contains(used, h.use) {
			setup += "\n\n" + h.text
		}
	}
	imports := ""
	for _, path := range goPackages {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(setup + used) {
			imports += fmt.Sprintf("\t%q\n", path)
		}
	}
	return "package main\n\nimport (\n" + imports + ")\n\n" + setup
}
