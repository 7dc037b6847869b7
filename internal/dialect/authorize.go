package dialect

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// authorize takes the question an app puts to a person (RFC 6749 §4.1.1). The
// browser goes on to the ticket's page, or back to the app with a refusal.
func (c *call) authorize() error {
	if err := c.readQuestion(); err != nil {
		return err
	}
	ask, err := c.ask()
	if err != nil {
		return err
	}
	if !ask.Probe {
		if ask.Browser, err = c.door.Browser(&c.w, c.r); err != nil {
			return err
		}
	}
	ticket, err := c.door.Engine.Ask(c.r.Context(), ask)
	c.app = ask.ClientID // an alias was resolved
	if refused, ok := errors.AsType[*oauth.Refusal](err); ok {
		c.failed = refused.Err
		c.redirect(c.d.Refused(refused, c.door.Issuer))
		return nil
	}
	switch {
	case postern.KindOf(err) == postern.InvalidClient: // nobody authenticates here: the app is unknown
		return &postern.Error{Kind: postern.UnknownClient, Msg: told(err).Msg, Why: told(err).Why}
	case err != nil:
		return err
	case ask.Probe:
		c.w.Header()["Cache-Control"] = noStore
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	c.redirect("/consent/" + string(ticket))
	return nil
}

// readQuestion reads the query and, of a POST, the form, as one.
func (c *call) readQuestion() error {
	var err error
	if c.query, err = parseQuery(c.r.URL.RawQuery, c.buffer[:0]); err != nil {
		return invalid("query_malformed", "The query of the address is not well-formed.")
	}
	if c.r.Method == http.MethodPost {
		if err := c.readForm(); err != nil {
			return err
		}
	}
	all := slices.Concat(c.query, c.body)
	if name, is := all.repeated(c.known); is {
		return twice(name)
	}
	return nil
}

func (c *call) readForm() error {
	body, err := readBody(&c.w, c.r)
	if err != nil {
		return err
	}
	media, ok := mediaOf(c.r)
	if !ok || media != usualTypes["form"][0] && (media != "none" || body != "") {
		return invalid("media_type_wrong", "Send the form as %s.", usualTypes["form"][0]).
			With("sent", c.r.Header.Get("Content-Type")).With("wanted", usualTypes["form"][0])
	}
	if strings.IndexByte(body, ';') >= 0 {
		return invalid("body_not_form", "The form is not well-formed.")
	}
	if c.body, err = parseQuery(body, nil); err != nil { // state may hold any bytes
		return invalid("body_not_form", "The form is not well-formed.")
	}
	return nil
}

// ask reads the inputs of an authorize request.
func (c *call) ask() (*oauth.Ask, error) {
	var values [inputs]string
	for _, id := range authorizeInputs {
		var err *postern.Error
		if values[id], err = c.value(id); err != nil {
			return nil, err
		}
	}
	alias := c.otherName(values[inClientID])
	if alias.Attr == "" && !validClientID(values[inClientID]) {
		return nil, postern.Because(postern.UnknownClient, "unknown_client", "No app is registered here under this client_id.")
	}
	if alias.Attr != "" {
		values[inClientID] = ""
	}
	c.app = values[inClientID]
	if missing := c.refusedAbsence(&values); missing != nil {
		return nil, missing
	}
	a := &oauth.Ask{
		Terms: &c.d.terms, ViaPost: c.r.Method == http.MethodPost, Probe: c.r.Method == http.MethodHead,
		ClientID: values[inClientID], Alias: alias, ResponseType: values[inResponseType], ResponseMode: values[inResponseMode],
		RedirectURI: values[inRedirectURI], SentURI: values[inRedirectURI] != "",
		URIOptional: c.e.inputs[inRedirectURI].missing == registered,
		State:       values[inState], Challenge: values[inChallenge], ChallengeMethod: values[inChallengeMethod],
		Prompt: values[inPrompt], LoginHint: values[inLoginHint],
		Request: c.parameter("request") != "", RequestURI: c.parameter("request_uri") != "",
	}
	if a.Challenge == "" && c.e.inputs[inChallengeMethod].missing == isLiteral {
		a.ChallengeMethod = "" // a literal method stands for the one that a challenge left out
	}
	var problem bool
	a.Scopes, a.ScopeProblem = c.d.parseScopes(values[inScope])
	a.SecondScopes, problem = c.d.parseScopes(values[inUserScope])
	a.ScopeProblem = a.ScopeProblem || problem
	if a.Tenant = values[inTenant]; a.Tenant != "" { // of two routes, one may name an account and the other not
		a.TenantKey = c.d.tenant
	}
	var err error
	a.Kept, err = c.kept()
	return a, err
}

// otherName is the app by another of its ids, where the wire has one there.
func (c *call) otherName(value string) oauth.Alias {
	if attr := c.e.inputs[inClientID].is; attr != "" {
		return oauth.Alias{Attr: attr, Value: value}
	}
	return oauth.Alias{}
}

// refusedAbsence: an input whose absence the file refuses.
func (c *call) refusedAbsence(values *[inputs]string) error {
	for _, id := range authorizeInputs {
		if values[id] == "" && c.e.inputs[id].missing == refused {
			return c.missing(id)
		}
	}
	return nil
}

func (c *call) parameter(name string) string {
	value, _ := c.at(place{kind: inQuery, name: name}) // a query holds text only
	return value
}

// kept reads the further parameters that are stored with the grant.
func (c *call) kept() (map[string]string, error) {
	var out map[string]string
	for _, k := range c.d.keep {
		for _, p := range k.places {
			value, err := c.at(p)
			if err != nil {
				return nil, err
			}
			if value == "" {
				continue
			}
			if out == nil {
				out = map[string]string{}
			}
			out[k.name] = value
		}
	}
	return c.remember(out), nil
}

// validClientID: what an id can look like, here or moved in from elsewhere.
func validClientID(s string) bool {
	for i := range len(s) {
		if !letterOrDigit(s[i]) && strings.IndexByte("._~-", s[i]) < 0 {
			return false
		}
	}
	return s != "" && len(s) <= 128
}

// redirect sends the browser on: 303 after a POST, so that it does not post
// again, 302 otherwise.
func (c *call) redirect(to string) {
	status := http.StatusFound
	if c.r.Method == http.MethodPost {
		status = http.StatusSeeOther
	}
	h := c.w.Header()
	h["Cache-Control"] = noStore
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["Location"] = []string{to}
	c.w.WriteHeader(status)
}

// Allowed is the URL that carries a code to its app (RFC 6749 §4.1.2): the
// registered URL as it stands, then the callback's parameters.
func (d *Dialect) Allowed(g *oauth.Granted, issuer string) string {
	v := &values{dialect: d, code: string(g.Code), state: g.State, account: &g.Account, user: &g.User, scopes: g.Scopes, kept: g.Kept, tenant: g.Tenant, now: g.At, wire: d.name}
	v.of(g.App, issuer)
	return d.sign.signed(withParameters(g.To, d.allowed, v), g.Key)
}

// Refused is the URL that carries a refusal to its app (RFC 6749 §4.1.2.1).
func (d *Dialect) Refused(r *oauth.Refusal, issuer string) string {
	e := told(r.Err)
	t := d.endpoints[0].errors
	v := &values{dialect: d, state: r.State, tenant: r.Tenant, now: r.At, wire: d.name, refused: e.Kind, word: t.wordOf(e.Kind), message: e.Msg}
	v.of(r.App, issuer)
	return d.sign.signed(withParameters(r.To(), d.failed, v), r.Key)
}

// of adds what callbacks say of the app. iss is said unless the app does not
// want it (RFC 9207); a wire whose file has none never says it.
func (v *values) of(app *postern.App, issuer string) {
	v.issuer = issuerOf(issuer, v.dialect)
	if app == nil {
		return
	}
	v.clientID, v.attrs = app.ID, app.Attributes
	if app.ISS != nil && !*app.ISS {
		v.issuer = ""
	}
}

// withParameters adds parameters to a URL whose own query stays byte for byte.
func withParameters(to string, o *object, v *values) string {
	b := append(make([]byte, 0, len(to)+256), to...)
	switch query := strings.IndexByte(to, '?'); {
	case query < 0:
		b = append(b, '?')
	case query < len(to)-1 && to[len(to)-1] != '&':
		b = append(b, '&')
	}
	before := len(b)
	b = o.appendForm(b, v)
	if len(b) == before {
		return to
	}
	return string(b)
}
