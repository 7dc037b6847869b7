package transcript

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

var directives = []string{"allow", "app", "deny", "loose", "restart", "times", "user", "wait"}

// appKeys and userKeys are what can be said of an app and of a person, beside
// attr.X and account.attr.X.
var (
	appKeys = []string{"client_id", "client_secret", "redirect_uri", "scopes", "default_scopes", "dialect", "also", "level",
		"grants", "connect_roles", "public", "iss", "name", "partner", "disabled"}
	userKeys = []string{"id", "name", "nickname", "role", "disabled", "account.id", "account.handle", "account.disabled"}
)

func (p *parser) directive(word, rest string) {
	switch word {
	case "allow", "deny":
		p.decide(word, rest)
		return
	case "times":
		p.count(rest)
		return
	}
	p.pause()
	if p.x != nil && p.part == afterRequest {
		p.report("@%s stands between a request and its answer; write it before the request", word)
		return
	}
	p.close()
	switch word {
	case "app":
		p.app(rest)
	case "user":
		p.user(rest)
	case "wait":
		d, err := yamlfile.ParseDuration(rest)
		if err != nil || d == 0 {
			p.report("@wait needs a duration, as in @wait 301s")
		}
		p.add(&Wait{p.line, d})
	case "restart", "loose":
		if rest != "" {
			p.report("@%s stands alone", word)
		}
		if word == "restart" {
			p.add(&Restart{p.line})
		} else {
			p.add(&Loose{p.line})
		}
	default:
		p.report("there is no @%s%s", word, yamlfile.Suggest(word, directives))
	}
}

func (p *parser) decide(word, rest string) {
	if p.x == nil || p.part > afterRequest {
		p.report("@%s stands between a request and its answer", word)
		return
	}
	if p.x.Asked != Nobody {
		p.report("a question is answered once")
	}
	if !p.person {
		p.report("nobody sits at the browser; write @user ada of Acme above the request")
	}
	p.part = afterRequest
	p.x.Asked = map[string]Decision{"allow": Allow, "deny": Deny}[word]
	for _, s := range p.settings(rest, []string{"account"}) {
		p.x.Account = s.Value
	}
}

var timesForm = regexp.MustCompile(`^([0-9]{1,4})(?:-([0-9]{1,4}))?$`)

// count reads @times 50, or @times 0-49 for an answer. After a request it is the
// request's, unless that has one; elsewhere what follows decides.
func (p *parser) count(rest string) {
	m := timesForm.FindStringSubmatch(rest)
	if m == nil {
		p.report("@times needs a number, as in @times 50")
		return
	}
	s := &span{}
	s.least, _ = strconv.Atoi(m[1]) // up to four digits
	s.most = s.least
	if m[2] != "" {
		s.most, _ = strconv.Atoi(m[2])
	}
	if s.most < max(s.least, 1) {
		p.report("@times %s is nothing", rest)
		return
	}
	p.pause()
	if p.x != nil && p.part == afterRequest && p.x.Times == 0 {
		p.x.Times = p.often(s)
		return
	}
	if p.times != nil {
		p.report("@times stands here twice")
	}
	p.times = s
}

func (p *parser) app(rest string) {
	a := &App{p.line, p.settings(rest, appKeys)}
	if Get(a.Settings, "client_id") == "" {
		p.report("@app needs a client_id, as in @app client_id=partner-x client_secret=… redirect_uri=https://p.example/cb")
	}
	for _, name := range Given {
		p.known[name] = true
	}
	p.add(a)
}

var personForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*(?:@[A-Za-z0-9.-]+)?$`)

// user reads @user ada of Acme Inc role=member.
func (p *parser) user(rest string) {
	words, settings := rest, ""
	if at := settingStart.FindStringIndex(rest); at != nil {
		words, settings = rest[:at[0]], rest[at[0]:]
	}
	name, account, ok := strings.Cut(strings.TrimSpace(words), " of ")
	name, account = strings.TrimSpace(name), strings.TrimSpace(account)
	if !ok || !personForm.MatchString(name) || account == "" {
		p.report("@user needs a name and an account, as in @user ada of Acme")
	}
	p.person = true
	p.add(&User{p.line, name, account, p.settings(settings, userKeys)})
}

var (
	settingStart = regexp.MustCompile(`(?:^| )[a-z][A-Za-z0-9_.]*=`)
	settingForm  = regexp.MustCompile(`^([a-z][A-Za-z0-9_.-]*)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: +|$)`)
)

// settings reads key=value key="two words" …
func (p *parser) settings(rest string, known []string) (all []Setting) {
	for rest = strings.TrimSpace(rest); rest != ""; {
		m := settingForm.FindStringSubmatch(rest)
		if m == nil {
			p.report("%q is no setting; write key=value, or key=\"two words\"", rest)
			return all
		}
		rest = rest[len(m[0]):]
		s := Setting{m[1], m[2]}
		if strings.HasPrefix(s.Value, `"`) {
			var err error
			if s.Value, err = strconv.Unquote(s.Value); err != nil {
				p.report("%s=%s is not well quoted", s.Key, m[2])
			}
		}
		free := strings.HasPrefix(s.Key, "attr.") || strings.HasPrefix(s.Key, "account.attr.") && slices.Contains(known, "account.id")
		if !free && !slices.Contains(known, s.Key) {
			p.report("unknown setting %q%s", s.Key, yamlfile.Suggest(s.Key, known))
		}
		if s.Key != "redirect_uri" && slices.ContainsFunc(all, func(o Setting) bool { return o.Key == s.Key }) {
			p.report("%s is given twice", s.Key)
		}
		all = append(all, s)
	}
	return all
}

func (s Setting) String() string {
	if s.Value == "" || strings.ContainsAny(s.Value, " \"\\") || strings.ContainsFunc(s.Value, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return fmt.Sprintf("%s=%q", s.Key, s.Value)
	}
	return s.Key + "=" + s.Value
}
