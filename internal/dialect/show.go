package dialect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// Full is the dialect as a file that says everything, defaults too: what
// `postern dialect show NAME --full` prints. It compiles to the same dialect.
func (d *Dialect) Full() string {
	p := &printer{}
	p.line("language: %d", language)
	p.line("name: %s", d.name)
	p.line("base: %s", quoted(d.base))
	if len(d.loginHost) > 0 || len(d.apiHost) > 0 {
		p.line("hosts: {%s}", pairs("login", hostText(d.loginHost), "api", hostText(d.apiHost)))
	}
	for i, t := range d.texts {
		if i == 0 {
			p.line("texts:")
		}
		p.line("  %s: %s", t.name, said(t.tree))
	}
	p.terms(d)
	p.apps(d.apps)
	for _, i := range d.insecure {
		p.line("%s: {because: %s}", i.Key, quoted(i.Because))
	}
	p.api(d)
	p.endpoints(d)
	if d.eventData != nil {
		p.line("event_data: %s", said(d.eventData))
	}
	p.events(d)
	return p.b.String()
}

func (p *printer) events(d *Dialect) {
	for i, e := range d.events {
		if i == 0 {
			p.line("events:")
		}
		headers := ""
		if len(e.headers) > 0 {
			headers = said(&object{e.headers})
		}
		p.line("  %s: {%s}", e.event, pairs("headers", headers, "body", said(e.body), "sign", e.sign.text()))
	}
}

// printer writes YAML, one key a line.
type printer struct {
	b      strings.Builder
	indent string
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.b, p.indent+format+"\n", args...)
}

// pairs is the inside of a mapping, without what is empty.
func pairs(kv ...string) string {
	var out []string
	for i := 0; i < len(kv); i += 2 {
		if kv[i+1] != "" {
			out = append(out, kv[i]+": "+kv[i+1])
		}
	}
	return strings.Join(out, ", ")
}

// hostText is a host; its variables are in braces, and so it is in quotes.
func hostText(labels []part) string {
	if len(labels) == 0 {
		return ""
	}
	return quoted(join(labels, "."))
}

func (p *printer) terms(d *Dialect) {
	t := &d.terms
	p.line("level: %s", t.Level)
	if t.AccountIDs != nil {
		p.line("ids: {account: %s}", formText(*t.AccountIDs))
	}
	if d.tenant != "" {
		p.line("tenant: account.%s", d.tenant)
	}
	p.line("pkce: %s", t.PKCE)
	p.line("verifier: %d-%d", minVerifier, d.verifier)
	p.line("consent: %s", t.Consent)
	p.scopes(d)
	p.line("tokens:")
	p.line("  code: {%s, expires: %s}", formKeys(t.Code.Form), life(t.Code.Life))
	imported := ""
	if d.imported != nil {
		imported = quoted(strings.TrimSuffix(strings.TrimPrefix(d.imported.String(), `\A(?:`), `)\z`))
	}
	p.line("  access: {%s}", strings.Join(nonEmpty(formKeys(t.Access.Form), "expires: "+life(t.Access.Life), formatText(t.Access), pairs("absolute", absoluteText(t.Access), "imported", imported)), ", "))
	p.line("  refresh: %s", refreshTermsText(t.Refresh))
	if s := t.Second; s != nil {
		p.line("  second: {asked_by: user_scope, level: user, access: {%s, expires: %s}}", formKeys(s.Form), life(s.Life))
	}
	if t.AtOnce > 0 {
		p.line("  at_once: %d", t.AtOnce)
	}
	for i, v := range d.variants {
		if i == 0 {
			p.line("  when:")
		}
		p.line("    - %s", v.text())
	}
	var grants []string
	for _, g := range d.grants {
		grants = append(grants, quoted(g.name)+": "+g.meaning.String())
	}
	p.line("grants: {%s}", strings.Join(grants, ", "))
	for i, k := range d.keep {
		if i == 0 {
			p.line("keep:")
		}
		p.line("  %s: %s", k.name, placesText(k.places))
	}
}

func (v *variant) text() string {
	var out []string
	for _, c := range v.conditions {
		name := c.name
		if c.atToken() {
			name = c.place.String()
		}
		out = append(out, quoted(name)+": "+quoted(c.value))
	}
	out = append(out, "access: {"+strings.Join(nonEmpty(formKeys(v.terms.Access.Form), "expires: "+life(v.terms.Access.Life), formatText(v.terms.Access), pairs("absolute", absoluteText(v.terms.Access))), ", ")+"}", "refresh: "+refreshTermsText(v.terms.Refresh))
	if v.terms.AtOnce > 0 {
		out = append(out, "at_once: "+strconv.Itoa(v.terms.AtOnce))
	}
	if v.answer != nil {
		out = append(out, "answer: "+v.answer.text())
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func (m meaning) String() string {
	for word, of := range meanings {
		if of == m {
			return word
		}
	}
	return ""
}

func (p *printer) scopes(d *Dialect) {
	if d.terms.NoScopes {
		p.line("scopes: none")
		return
	}
	var split []string
	for _, c := range d.scopes.split {
		split = append(split, quoted(string(c)))
	}
	absent := "skip"
	if d.terms.ScopesRequired {
		absent = "defaults"
	}
	p.line("scopes: {split: [%s], join: %s, absent: %s}", strings.Join(split, ", "), quoted(d.scopes.join), absent)
}

func formText(f postern.Form) string {
	if f.Alphabet == postern.Hex {
		return "hex " + strconv.Itoa(f.Length)
	}
	return "base62 " + strconv.Itoa(f.Length)
}

func formKeys(f postern.Form) string {
	return fmt.Sprintf("form: %s, prefix: %s, checksum: %v", formText(f), quoted(f.Prefix), f.Checksum)
}

// life writes a duration as files do.
func life(d time.Duration) string {
	switch {
	case d == 0:
		return "never"
	case d%(24*time.Hour) == 0:
		return strconv.Itoa(int(d/(24*time.Hour))) + "d"
	case d%time.Hour == 0:
		return strconv.Itoa(int(d/time.Hour)) + "h"
	}
	return strconv.Itoa(int(d/time.Second)) + "s"
}

func absoluteText(t oauth.AccessTerms) string {
	if t.Absolute == 0 {
		return ""
	}
	return life(t.Absolute)
}

func refreshTermsText(r *oauth.RefreshTerms) string {
	if r == nil {
		return "none"
	}
	rotate := "never"
	if r.Rotate {
		rotate = "always"
	}
	absolute := ""
	if r.Absolute > 0 {
		absolute = life(r.Absolute)
	}
	return "{" + strings.Join(nonEmpty(formKeys(r.Form), pairs("rotate", rotate, "idle", life(r.Idle), "absolute", absolute,
		"window", strconv.Itoa(int(r.Window/time.Second))+"s")), ", ") + "}"
}

func nonEmpty(list ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

func (p *printer) apps(a AppRules) {
	urls := "any"
	switch {
	case a.OneRedirectURL:
		urls = "one"
	case a.SomeRedirectURL:
		urls = "some"
	}
	p.line("apps: {redirect_urls: %s, required: [%s], native: %t}", urls, strings.Join(a.Required, ", "), a.NativeApps)
}

func (p *printer) api(d *Dialect) {
	p.line("api:")
	p.line("  read: {access_token: %s}", placesText(d.api.places))
	if d.challenge != nil {
		p.line("  challenge: %s", quoted(*d.challenge))
	}
	p.errors("  ", d.apiErrors)
}

func (p *printer) endpoints(d *Dialect) {
	kinds := map[endpointKind]bool{}
	for _, e := range d.endpoints {
		first := !kinds[e.kind]
		kinds[e.kind] = true
		if first {
			p.line("%s:", e.kind)
		}
		p.indent = "  "
		if e.kind == revokeEndpoint || e.kind == whoamiEndpoint {
			p.indent = "  - "
		}
		p.endpoint(d, e)
		p.indent = ""
	}
	for _, kind := range []endpointKind{whoamiEndpoint, introspectEndpoint, revokeEndpoint, metadataEndpoint, jwksEndpoint} {
		if !kinds[kind] {
			p.line("%s: none", kind)
		}
	}
	p.line("cors: %v", slices.ContainsFunc(d.endpoints, func(e *endpoint) bool { return e.cors && e.kind != metadataEndpoint && e.kind != jwksEndpoint }))
}

func (p *printer) endpoint(d *Dialect, e *endpoint) {
	var at []string
	for _, r := range e.routes {
		if e.kind == authorizeEndpoint && r.method == "POST" && slices.ContainsFunc(e.routes, func(o *route) bool { return o.method == "GET" && o.address() == r.address() }) {
			continue // comes with GET by itself
		}
		at = append(at, quoted(r.String()))
	}
	p.line("at: [%s]", strings.Join(at, ", "))
	p.indent = strings.Repeat(" ", len(p.indent))
	if e.kind == metadataEndpoint || e.kind == jwksEndpoint {
		return
	}
	if len(e.headers) > 0 {
		p.line("require_headers: [%s]", strings.Join(e.headers, ", "))
	}
	if e.byHolder {
		p.holder(e)
	} else {
		p.client(e)
	}
	if e.kind == authorizeEndpoint {
		p.line("callback: {%s}", pairs("allowed", said(d.allowed), "failed", said(d.failed), "sign", d.sign.text()))
	}
	if e.kind == introspectEndpoint || e.kind == revokeEndpoint {
		p.line("unknown: %s", map[bool]string{true: "refuse", false: "ok"}[e.refuses])
	}
	if e.answer != nil {
		p.line("answer: %s", e.answer.text())
	}
	p.errors("", e.errors)
}

func (p *printer) holder(e *endpoint) {
	name := map[bool]string{true: "refresh_token", false: "access_token"}[e.refresh]
	if e.kind == revokeEndpoint {
		name = map[bool]string{true: "refresh_token", false: "token"}[e.refresh]
		p.line("by: holder")
		p.line("ends: %s", map[bool]string{true: "connection", false: "token"}[e.ends])
	}
	p.line("read: {%s: %s}", name, placesText(e.token.places))
}

func (p *printer) client(e *endpoint) {
	if e.kind == revokeEndpoint {
		p.line("by: client")
		p.line("ends: %s", map[bool]string{true: "connection", false: "token"}[e.ends])
	}
	if len(e.accepts) > 0 {
		p.line("accepts: {%s}", acceptsText(e.accepts))
	}
	var read, missing, words []string
	for id, in := range e.inputs {
		name := inputNames[id]
		if len(in.places) > 0 {
			read = append(read, name+": "+in.text())
		} else if in.none {
			read = append(read, name+": none")
		}
		if word := in.absenceText(); word != "" {
			missing = append(missing, name+": "+word)
		}
		if len(in.words) > 0 {
			words = append(words, name+": "+wordsText(in.words))
		}
	}
	if len(read) > 0 {
		p.line("read:")
		for _, one := range read {
			p.line("  %s", one)
		}
	}
	if len(missing) > 0 {
		p.line("absent: {%s}", strings.Join(missing, ", "))
	}
	if len(words) > 0 {
		p.line("map: {%s}", strings.Join(words, ", "))
	}
}

func acceptsText(accepts []accepted) string {
	var out []string
	for _, encoding := range []string{"json", "form"} {
		var media []string
		for _, a := range accepts {
			if a.json == (encoding == "json") {
				media = append(media, quoted(a.media))
			}
		}
		if len(media) > 0 {
			out = append(out, encoding+": ["+strings.Join(media, ", ")+"]")
		}
	}
	if len(out) == 2 && !accepts[0].json { // the first one is what callers are told
		slices.Reverse(out)
	}
	return strings.Join(out, ", ")
}

func (in *input) text() string {
	is, both := "", ""
	if in.is != "" {
		is = "app.attr." + in.is
	}
	if in.both && in.places[0].kind != inVariable {
		both = "equal"
	}
	if is+both != "" {
		return "{" + pairs("from", placesText(in.places), "both", both, "is", is) + "}"
	}
	return placesText(in.places)
}

func (in *input) absenceText() string {
	switch in.missing {
	case refused:
		return "refuse"
	case skipped:
		return "skip"
	case registered:
		return "the registered one"
	case isLiteral:
		return quoted(in.literal)
	case byOther:
		var out []string
		for _, by := range in.named {
			out = append(out, "by "+string(by))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return ""
}

func wordsText(words map[string]string) string {
	var out []string
	for _, w := range slices.Sorted(maps.Keys(words)) {
		out = append(out, quoted(w)+": "+quoted(words[w]))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

func placesText(places []place) string {
	var out []string
	for _, p := range places {
		out = append(out, quoted(p.String()))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// errors prints a table with the statuses and names that each kind really gets.
func (p *printer) errors(indent string, t *errorTable) {
	var status, names []string
	for _, k := range wireKinds {
		status = append(status, fmt.Sprintf("%s: %d", k, t.statusOf(k)))
		names = append(names, fmt.Sprintf("%s: %s", k, quoted(t.wordOf(k))))
	}
	p.line("%serrors:", indent)
	p.line("%s  status: {%s}", indent, strings.Join(status, ", "))
	p.line("%s  names: {%s}", indent, strings.Join(names, ", "))
	p.line("%s  body: %s", indent, said(t.body))
}

func (a *answer) text() string {
	body := "empty"
	if !a.empty {
		body = said(a.body)
	}
	types := "json"
	if len(a.types) > 1 || a.types[0].form {
		word := func(t answerType) string { return map[bool]string{true: "form", false: "json"}[t.form] }
		list := []string{"default: " + word(a.types[0])}
		for _, t := range a.types[1:] {
			list = append(list, quoted(t.accept)+": "+word(t))
		}
		types = "{" + strings.Join(list, ", ") + "}"
	}
	headers := ""
	for i, h := range a.headers {
		headers += cmp.Or(map[bool]string{true: ", "}[i > 0], "") + quoted(h.name) + ": " + said(h.tree)
	}
	if headers != "" {
		headers = "{" + headers + "}"
	}
	return "{" + pairs("status", strconv.Itoa(a.status), "type", types, "headers", headers, "body", body) + "}"
}

// said is a tree as files write it.
func said(t tree) string {
	switch t := t.(type) {
	case *value:
		return "$" + t.name
	case *literal:
		if t.value.kind == isText {
			return quoted(strings.ReplaceAll(t.value.s, "$", "$$"))
		}
		return string(t.json)
	case *phrase:
		s := ""
		for _, part := range t.parts {
			switch part := part.(type) {
			case *value:
				s += "${" + part.name + "}"
			case *literal:
				s += strings.ReplaceAll(part.value.s, "$", "$$")
			}
		}
		return quoted(s)
	case *object:
		var out []string
		for _, m := range t.members {
			out = append(out, quoted(m.name)+": "+said(m.tree))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case *forEach:
		var out []string
		for _, m := range t.item.members {
			out = append(out, ", "+quoted(m.name)+": "+said(m.tree))
		}
		return "{" + quoted(each) + ": " + said(t.of) + strings.Join(out, "") + "}"
	case *list:
		var out []string
		for _, item := range t.items {
			out = append(out, said(item))
		}
		return "[" + strings.Join(out, ", ") + "]"
	}
	return "null"
}

// quoted is a text in YAML: plain where that is safe.
func quoted(s string) string {
	if isName(s) && !('0' <= s[0] && s[0] <= '9') && !slices.Contains([]string{"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"}, s) {
		return s
	}
	return string(appendJSONString(nil, s))
}
