package dialect

import (
	"errors"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// tokenRequest is what an app asks the token endpoint, read and not yet judged.
type tokenRequest struct {
	client  oauth.ClientAuth
	meaning meaning // 0: a grant that this dialect does not have
	values  [inputs]string
}

// token gives tokens for a code, a refresh token or the app itself (RFC 6749
// §3.2). The checks run in this order: method, size, media type, syntax, what is
// missing, client, grant, code.
func (c *call) token() error {
	if err := c.readParameters(); err != nil {
		return err
	}
	q, err := c.readToken()
	if err != nil {
		return err
	}
	issued, failure := c.issue(q)
	if failure != nil {
		return c.secretMissing(q.client, failure)
	}
	c.got(issued)
	v := c.values()
	v.issued(issued)
	c.allowOrigin()
	c.answerFor(issued.Kept).write(&c.w, c.r, v)
	return nil
}

// got remembers whose tokens were given.
func (c *call) got(issued *oauth.Issued) {
	c.proved, c.connection = true, issued.ConnectionID
	if issued.App != nil {
		c.app = issued.App.ID
	}
	if issued.Account != nil {
		c.account = issued.Account.ID
	}
}

func (c *call) readToken() (*tokenRequest, error) {
	q := &tokenRequest{}
	var err *postern.Error
	if q.client, err = c.client(); err != nil {
		return nil, err
	}
	for _, id := range tokenInputs {
		if slices.Contains(clientInputs, id) {
			continue
		}
		if q.values[id], err = c.value(id); err != nil {
			return nil, err
		}
	}
	if c.e.kind == refreshEndpoint && q.values[inGrantType] == "" {
		q.values[inGrantType], q.meaning = "refresh_token", byRefresh
	} else if q.values[inGrantType] == "" {
		return nil, c.missing(inGrantType)
	} else {
		c.grant = q.values[inGrantType]
		q.meaning = c.meaning(q.values[inGrantType])
	}
	c.renews = q.meaning == byRefresh || q.meaning == byRenewal
	for _, id := range c.needed(q.meaning) {
		if q.values[id] == "" {
			return nil, c.missing(id)
		}
	}
	if err := c.namedBy(q); err != nil {
		return nil, err
	}
	if c.basic.broken { // told last: what is missing shows without any proof
		return nil, c.brokenBasic()
	}
	return q, nil
}

// meaning is what a grant_type of this wire stands for; 0: nothing.
func (c *call) meaning(name string) meaning {
	for _, g := range c.d.grants {
		if g.name == name && (c.e.kind == tokenEndpoint || g.meaning == byRefresh) {
			return g.meaning
		}
	}
	if c.e.kind == refreshEndpoint && name == "refresh_token" {
		return byRefresh
	}
	return 0
}

// needed are the inputs without which a grant makes no sense.
func (c *call) needed(m meaning) []inputID {
	var ids []inputID
	switch m {
	case byCode:
		ids = []inputID{inCode}
		if c.e.inputs[inRedirectURI].missing == refused {
			ids = append(ids, inRedirectURI)
		}
	case byRefresh:
		ids = []inputID{inRefreshToken}
	case byRenewal:
		ids = []inputID{inAccessToken}
	}
	return ids
}

// client reads who asks. What is missing is missing only where nothing but a
// secret can prove a client; whether a public app asks, the engine knows.
func (c *call) client() (oauth.ClientAuth, *postern.Error) {
	b := c.readBasicIfPlaced()
	if len(c.r.Header["Authorization"]) > 1 && has(c.e.inputs[inClientSecret].places, inScheme) {
		return oauth.ClientAuth{}, invalid("client_auth_twice", "Authenticate the client in one place only.")
	}
	secret, err := c.value(inClientSecret)
	if err == nil && (b.repeated || b.broken && secret != "") {
		err = invalid("client_auth_twice", "Authenticate the client in one place only.")
	}
	if err != nil {
		return oauth.ClientAuth{}, err
	}
	assertion, err := c.assertion(secret, b)
	if err != nil {
		return oauth.ClientAuth{}, err
	}
	id, err := c.value(inClientID)
	if err != nil {
		return oauth.ClientAuth{}, err
	}
	auth := oauth.ClientAuth{Secret: postern.Secret(secret), Basic: b.tried, Source: c.door.Source(c.r)}
	if assertion != "" {
		auth.Assertion, auth.Audience = postern.Secret(assertion), c.audience()
	}
	if id == "" && assertion == "" && !b.broken && c.e.inputs[inClientID].missing != byOther {
		return oauth.ClientAuth{}, c.unnamed()
	}
	if alias := c.otherName(id); alias.Attr != "" && (id != "" || assertion != "") {
		auth.Alias, auth.NamedBy = alias, oauth.NamedByAlias
		return auth, nil
	}
	if id != "" && !validClientID(id) {
		return oauth.ClientAuth{}, postern.Because(postern.UnknownClient, "unknown_client", "%s", sentences[postern.InvalidClient])
	}
	c.app = id
	auth.ClientID = id
	if b.raw != "" && secret == b.password {
		auth.Raw = postern.Secret(b.raw)
	}
	if id == "" && secret != "" && slices.Contains(c.e.inputs[inClientID].named, oauth.NamedBySecret) {
		auth.NamedBy = oauth.NamedBySecret
	}
	return auth, nil
}

// namedBy says what names a client that named itself in no way, if the file lets
// this grant's own credential do so.
func (c *call) namedBy(q *tokenRequest) *postern.Error {
	if q.client.ClientID != "" || q.client.NamedBy != "" || q.client.Assertion != "" || c.basic.broken {
		return nil
	}
	by := map[meaning]oauth.NamedBy{byCode: oauth.NamedByCode, byRefresh: oauth.NamedByToken, byRenewal: oauth.NamedByToken}[q.meaning]
	if by == "" || !slices.Contains(c.e.inputs[inClientID].named, by) {
		return c.unnamed()
	}
	q.client.NamedBy = by
	return nil
}

// readBasicIfPlaced reads Basic where the endpoint takes credentials from there.
func (c *call) readBasicIfPlaced() *basicAuth {
	for _, id := range []inputID{inClientSecret, inClientID} {
		for _, p := range c.e.inputs[id].places {
			if p.kind == inBasicUser || p.kind == inBasicPassword {
				return c.readBasic()
			}
		}
	}
	return &c.basic
}

// unnamed: a wire that speaks JSON has named members, of which one is missing
// (xref.md §3, row 5); elsewhere it is RFC 6749 §5.2's "no client authentication
// included".
func (c *call) unnamed() *postern.Error {
	if c.e.readsJSON() {
		return c.missing(inClientID)
	}
	return postern.Because(postern.InvalidClient, "client_unnamed", "Authenticate the client: send client_id and client_secret.").
		With("names", []string{c.e.inputs[inClientID].name(inClientID), c.e.inputs[inClientSecret].name(inClientSecret)})
}

// secretMissing turns "this client is not proved" into "the secret is missing"
// where none was sent and the wire says so. It looks the same for every id.
func (c *call) secretMissing(client oauth.ClientAuth, err error) error {
	if c.e.readsJSON() && client.Secret == "" && client.Assertion == "" && !client.Basic && postern.Is(err, postern.InvalidClient) {
		said := c.missing(inClientSecret)
		if e, ok := errors.AsType[*postern.Error](err); ok && e.Why != nil {
			said.Why = e.Why
		}
		return said
	}
	return err
}

func (c *call) issue(q *tokenRequest) (*oauth.Issued, error) {
	ctx, terms := c.r.Context(), c.terms()
	scopes, problem := c.d.parseScopes(q.values[inScope])
	switch q.meaning {
	case byCode:
		return c.door.Engine.Redeem(ctx, &oauth.Redeem{
			Terms: terms, Tenant: c.tenant(), Client: q.client, Code: postern.Secret(q.values[inCode]),
			RedirectURI: q.values[inRedirectURI], SentURI: q.values[inRedirectURI] != "",
			URISkippable: c.e.inputs[inRedirectURI].missing == skipped,
			Verifier:     q.values[inVerifier], SentVerifier: c.sent(inVerifier), MaxVerifier: c.d.verifier,
		})
	case byRefresh:
		return c.door.Engine.Refresh(ctx, &oauth.Refresh{
			Terms: terms, Tenant: c.tenant(), Client: q.client, RefreshToken: postern.Secret(q.values[inRefreshToken]),
			Scopes: scopes, ScopeProblem: problem,
		})
	case byRenewal:
		return c.door.Engine.Renew(ctx, &oauth.Renew{
			Terms: terms, Client: q.client, AccessToken: postern.Secret(q.values[inAccessToken]),
			Scopes: scopes, ScopeProblem: problem,
		})
	case byClient:
		return c.door.Engine.ClientCredentials(ctx, &oauth.ClientCredentials{
			Terms: terms, Client: q.client, Scopes: scopes, ScopeProblem: problem,
		})
	}
	app, err := c.door.Engine.Authenticate(ctx, terms, q.client)
	if err != nil {
		return nil, err
	}
	names := c.d.grantNames()
	e := postern.Because(postern.UnsupportedGrantType, "grant_unknown", "%s", grantHelp(names)).With("sent", q.values[inGrantType]).With("grants", names)
	e.About(app.ID, "", "")
	e.Why.Proved = !app.Public
	return nil, e
}

// grantNames are the grants of this wire, those that every app has first.
func (d *Dialect) grantNames() (names []string) {
	for _, g := range d.grants {
		names = append(names, g.name)
	}
	return names
}

func grantHelp(names []string) string {
	if len(names) == 1 {
		return "Only " + names[0] + " is supported here."
	}
	last := len(names) - 1
	return "Use " + strings.Join(names[:last], ", ") + " or " + names[last] + "."
}

// issued are the values of a token answer.
func (v *values) issued(i *oauth.Issued) {
	v.access, v.refresh = i.AccessToken, i.RefreshToken
	v.issuedAt, v.expiresAt, v.refreshExpiresAt = i.IssuedAt, i.ExpiresAt, i.RefreshExpiresAt
	v.scopes, v.account, v.user, v.kept, v.second = i.Scopes, i.Account, i.User, i.Kept, i.Second
	v.connection, v.connectionNumber = i.ConnectionID, i.ConnectionNumber
	if i.App != nil {
		v.clientID, v.attrs = i.App.ID, i.App.Attributes
	}
}

// tenant is the account that the address names, if this route does.
func (c *call) tenant() oauth.Tenant {
	name, ok := c.m.value("tenant")
	if !ok {
		return oauth.Tenant{}
	}
	return oauth.Tenant{Key: c.d.tenant, Name: name}
}
