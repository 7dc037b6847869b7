package registry

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern"
)

// AppForm is what a partner says of an app, as it was typed.
type AppForm struct {
	Name         string
	Description  string // line breaks become spaces
	URL          string
	LogoURL      string
	RedirectURLs []string
	WebhookURL   string
	Scopes       []string
	Reasons      map[string]string // by scope
	Dialect      string            // of a new app; it stays
	Public       bool
	ForItself    bool   // it gets tokens for itself
	Sure         string // Findings.Slips that are meant
}

const (
	mostRedirects = 20
	mostApps      = 100 // of a partner that registers them itself
	mostAppsADay  = 200 // with those that were removed, which keep their rows
	longestReason = 200
)

// draft is an app as a form would make it.
type draft struct {
	rules    *Rules
	state    *State
	form     *AppForm
	old      *App // nil: a new one
	partner  string
	next     App
	looks    postern.Looks // as people would see it
	findings Findings
}

// drafted reads a form. What the partner last proposed is where it goes on from.
func (r *Rules) drafted(s *State, old *App, partner string, f *AppForm) *draft {
	d := &draft{rules: r, state: s, form: f, old: old, partner: partner}
	if old != nil {
		d.next, d.looks = *old, Wished(old)
	} else {
		d.next = App{App: postern.App{Dialect: f.Dialect, Grants: grants[:2], Partner: postern.Partner{ID: partner}}}
		d.next.Level = r.Dialects[f.Dialect].Level
	}
	d.looks.Name = f.Name
	d.looks.Description = strings.Join(strings.FieldsFunc(f.Description, func(c rune) bool { return c == '\n' || c == '\r' }), " ")
	d.looks.URL, d.looks.LogoURL = f.URL, f.LogoURL
	if f.LogoURL != "" {
		d.looks.LogoHash = ""
	}
	d.looks.RedirectURLs, d.looks.Scopes = f.RedirectURLs, d.scopes()
	if d.rules.OffersItself(d.next.Dialect) {
		d.looks.ForItself = f.ForItself
	}
	d.looks.ForItself = d.looks.ForItself && !f.Public
	d.next.WebhookURL, d.next.Public, d.next.Reasons = f.WebhookURL, f.Public, map[string]string{}
	for _, scope := range d.looks.Scopes {
		if why := f.Reasons[scope]; why != "" {
			d.next.Reasons[scope] = why
		}
	}
	d.check()
	return d
}

// Wished is what people see of an app as its partner wants it: as proposed, or
// as it is.
func Wished(a *App) postern.Looks {
	if a.Proposal != nil {
		return a.Proposal.Looks
	}
	return a.Looks()
}

// AsWished is the app as people would see it if it were as its partner wants it.
func (a *App) AsWished() *postern.App {
	would, l := a.App, Wished(a)
	would.Name, would.Description, would.URL, would.RedirectURLs, would.Scopes = l.Name, l.Description, l.URL, l.RedirectURLs, l.Scopes
	return &would
}

// AsItIs is the app as people see it: off, too, while its partner is.
func (a *App) AsItIs() *postern.App {
	is := a.App
	is.Disabled = a.Disabled || a.Partner.Disabled
	return &is
}

// scopes are those that were chosen, in the catalogue's order.
func (d *draft) scopes() (list []string) {
	if d.rules.Dialects[d.next.Dialect].NoScopes {
		return d.looks.Scopes
	}
	for _, s := range d.state.Scopes {
		if slices.Contains(d.form.Scopes, s.Name) {
			list = append(list, s.Name)
		}
	}
	return list
}

func (d *draft) check() {
	d.checkName()
	d.about("description", aboutDescription(d.looks.Description))
	d.checkURL("url", d.looks.URL, urlRule{loopback: d.rules.InsecureLoopback})
	d.checkURL("logo_url", d.looks.LogoURL, urlRule{loopback: d.rules.InsecureLoopback, fetched: true})
	d.checkURL("webhook_url", d.next.WebhookURL, urlRule{loopback: d.rules.InsecureLoopback, fetched: true})
	d.checkDialect()
	d.checkScopes()
	d.checkRedirects()
	d.checkPublic()
	d.checkForItself()
}

// about says what a rule for all texts found.
func (d *draft) about(field, problem string) {
	if problem != "" {
		d.findings.refuse(field, "This %s.", Said(problem))
	}
}

// Said is a rule's own words, which have no place for arguments.
type Said string

func (d *draft) checkURL(field, text string, rule urlRule) {
	if text == "" {
		return
	}
	d.about(field, aboutTypedURL(text, rule))
}

// aboutTypedURL is a rule for URLs with a word for what fingers and clipboards
// add.
func aboutTypedURL(text string, rule urlRule) string {
	if strings.TrimSpace(text) != text {
		return "begins or ends with a space; remove it"
	}
	return rule.about(text)
}

func (d *draft) checkName() {
	name := d.looks.Name
	if problem := aboutName(name); problem != "" {
		d.about("name", problem)
		return
	}
	for _, reserved := range d.rules.Reserved {
		if passesFor(name, reserved) {
			d.findings.refuse("name", "This name looks like %s itself. Choose one that nobody takes for it.", reserved)
			return
		}
	}
	for _, other := range d.state.Names {
		switch {
		case d.old != nil && other.ID == d.old.ID:
		case other.Partner.ID == d.partner && other.Name == name:
			d.findings.refuse("name", "You have another app of this name.")
			return
		case other.Partner.ID != d.partner && LooksLike(other.Name, name):
			d.findings.refuse("name", "Another company has an app whose name looks like this one; people could not tell the two apart. Choose another name.")
			return
		}
	}
}

func (d *draft) checkDialect() {
	if d.old != nil {
		return
	}
	if !slices.Contains(d.rules.PartnerDialects(), d.form.Dialect) {
		d.findings.refuse("dialect", "Choose one of the list.")
	}
}

// PartnerDialects are the dialects that a new app of a partner may speak.
func (r *Rules) PartnerDialects() []string {
	all := slices.Sorted(maps.Keys(r.Dialects))
	if len(r.Choice) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(r.Choice, name) })
}

// checkScopes: reasons are for the operator who decides, so they are asked for
// only where somebody does.
func (d *draft) checkScopes() {
	if d.rules.Dialects[d.next.Dialect].NoScopes {
		return
	}
	for _, scope := range d.form.Scopes {
		if !slices.Contains(d.looks.Scopes, scope) {
			d.findings.refuse("scopes", "There is no scope %s.", scope)
		}
	}
	for _, scope := range d.looks.Scopes {
		why := d.form.Reasons[scope]
		switch problem := aboutText(why, longestReason); {
		case problem != "":
			d.about("reason:"+scope, problem)
		case why == "" && d.rules.Review:
			d.findings.refuse("reason:"+scope, "Say in a few words why the app needs this.")
		}
	}
}

func (d *draft) checkPublic() {
	if !d.form.Public {
		return
	}
	if d.rules.Dialects[d.next.Dialect].RecoverableSecrets {
		d.findings.refuse("public", "This API signs with the app’s secret, so an app here must be able to keep one.")
	}
	if d.old != nil && !d.old.Public && len(d.old.Secrets) > 0 {
		d.findings.ask("public", "A public app has no secret: its secrets stop working when you save this.")
	}
	if d.old != nil && d.old.JWKS != "" {
		d.findings.ask("public", "A public app proves itself with nothing: its public keys are removed when you save this.")
	}
}

// OffersItself reports whether partners may ask that an app of this dialect gets
// tokens for itself.
func (r *Rules) OffersItself(dialect string) bool {
	return r.ForItself && r.Dialects[dialect].ForItself
}

func (d *draft) checkForItself() {
	const field = "for_itself"
	switch {
	case !d.form.ForItself:
	case !d.rules.ForItself:
		d.findings.refuse(field, "Here an app gets no tokens for itself, unless the operator sets it up.")
	case !d.rules.OffersItself(d.next.Dialect):
		d.findings.refuse(field, "In this dialect there are no tokens for an app itself.")
	case d.form.Public:
		d.findings.refuse(field, "A public app gets no tokens for itself: nothing proves who asks.")
	}
}

func (d *draft) checkRedirects() {
	const field = "redirect_urls"
	facts := d.rules.Dialects[d.next.Dialect]
	rule := urlRule{loopback: d.rules.InsecureLoopback, redirect: true, native: d.form.Public && facts.NativeApps}
	list := d.looks.RedirectURLs
	switch {
	case len(list) > mostRedirects:
		d.findings.refuse(field, "These are %d addresses; an app has %d at most.", len(list), mostRedirects)
		return
	case facts.OneRedirectURL && len(list) > 1:
		d.findings.refuse(field, "These are %d addresses; in this API an app has exactly one.", len(list))
	}
	for i, text := range list {
		problem := aboutTypedURL(text, rule)
		if problem == "" {
			problem = aboutLiteral(text)
		}
		if problem == "" {
			problem = d.rules.aboutOwn(text)
		}
		switch {
		case problem != "":
			d.findings.refuse(field, "%s %s.", begun(text), Said(problem))
		case slices.Contains(list[:i], text):
			d.findings.refuse(field, "%s stands here twice; remove one.", begun(text))
		case !d.redirectsStay():
			d.questionRedirect(field, text, rule)
		}
	}
}

// begun is as much of an address as tells which it is.
func begun(address string) string {
	const most = 120
	if all := []rune(address); len(all) > most {
		return string(all[:most]) + "…"
	}
	return address
}

// redirectsStay reports whether all that the questions about redirects look at is
// as it was: who changes a webhook address has answered them before.
func (d *draft) redirectsStay() bool {
	if d.old == nil {
		return false
	}
	was := Wished(d.old)
	return d.old.Public == d.form.Public && was.URL == d.looks.URL && slices.Equal(was.RedirectURLs, d.looks.RedirectURLs)
}

// aboutLiteral refuses addresses in place of names (PA-08): whoever is given the
// address next would be given the codes, too. Loopback is another rule's matter.
func aboutLiteral(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "cannot be read as a URL"
	}
	host := u.Hostname()
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if kind, _ := kindOfHost(host); kind == publicAddress {
		return "has an IP address in place of a host name; use a name"
	}
	return ""
}

// aboutOwn refuses the operator's own host: people would read it as the place they
// go to, and the code would land on a page of ours.
func (r *Rules) aboutOwn(text string) string {
	u, err := url.Parse(text)
	if err != nil || r.Own == nil {
		return ""
	}
	if strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), r.Own.Hostname()) && portThere(u) == portThere(r.Own) {
		return "leads back to this service; write the address of your own program"
	}
	return ""
}

// portThere is a URL's port, written or not.
func portThere(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// questionRedirect asks about what works and is seldom meant.
func (d *draft) questionRedirect(field, text string, rule urlRule) {
	u, err := url.Parse(text)
	if err != nil {
		return
	}
	kind, _ := kindOfHost(u.Host[:len(u.Host)-len(portOf(u))])
	switch {
	case u.Path == "" || u.Path == "/" && u.RawQuery == "":
		d.findings.ask(field, "%s has no path: does your program answer at the bare host?", text)
	case strings.HasSuffix(text, "/") && slices.Contains(d.looks.RedirectURLs, strings.TrimSuffix(text, "/")):
		d.findings.ask(field, "%s is there with and without the slash at its end. Addresses are compared character by character; do you send both?", text)
	case kind == nativeHost && !d.form.Public && u.Scheme == "http":
		d.findings.ask(field, "%s leads to the machine of whoever opens it. That is for trying things out.", text)
	case kind == nativeHost && d.old != nil && d.old.Live() && !rule.native:
		d.findings.ask(field, "%s leads to the machine of whoever opens it, and this app is live.", text)
	case kind == namedHost && d.looks.URL != "" && foreign(u, d.looks.URL):
		d.findings.ask(field, "%s is on another host than the app’s site. Is it yours?", text)
	}
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return ":" + p
	}
	return ""
}

// foreign reports whether two URLs have hosts of which neither is a part of the
// other's domain.
func foreign(u *url.URL, site string) bool {
	s, err := url.Parse(site)
	if err != nil || s.Hostname() == "" {
		return false
	}
	a, b := plainHost(u), plainHost(s)
	return a != b && !strings.HasSuffix(a, "."+b) && !strings.HasSuffix(b, "."+a) && !sisters(a, b)
}

func plainHost(u *url.URL) string {
	return strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
}

// sisters: app.partner.test and www2.partner.test. Two labels are little of a
// domain (co.uk), three are enough to ask nobody in vain.
func sisters(a, b string) bool {
	_, pa, _ := strings.Cut(a, ".")
	_, pb, _ := strings.Cut(b, ".")
	return pa == pb && strings.Count(pa, ".") >= 1
}

// UsualDialect is the one that a new app speaks if its partner does not choose
// another.
func (r *Rules) UsualDialect() string {
	all := r.PartnerDialects()
	switch {
	case slices.Contains(all, r.DefaultDialect):
		return r.DefaultDialect
	case len(all) > 0:
		return all[0]
	}
	return ""
}

// NoScopes reports whether a dialect's wire has none.
func (r *Rules) NoScopes(dialect string) bool { return r.Dialects[dialect].NoScopes }

// Reviews reports whether the operator looks at apps before people do.
func (r *Rules) Reviews() bool { return r.Review }

// Missing are the things without which nobody can connect an app: "redirect_urls",
// "secret", "scopes", and what its dialect wants.
func (r *Rules) Missing(a *App) (keys []string) {
	facts := r.Dialects[a.Dialect]
	have := map[string]bool{"description": a.Description != "", "url": a.URL != "", "logo_url": a.LogoURL != "" || a.LogoHash != "", "webhook_url": a.WebhookURL != ""}
	if len(a.RedirectURLs) == 0 {
		keys = append(keys, "redirect_urls")
	}
	if len(a.Scopes) == 0 && !facts.NoScopes {
		keys = append(keys, "scopes")
	}
	for _, key := range facts.Required {
		if !have[key] {
			keys = append(keys, key)
		}
	}
	valid := func(s postern.AppSecret) bool { return s.ValidAt(r.Now()) }
	if !a.Public && a.JWKS == "" && !slices.ContainsFunc(a.Secrets, valid) {
		keys = append(keys, "secret")
	}
	return keys
}
