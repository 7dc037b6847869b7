package dialect

import (
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// revoke ends a token for the app that holds it (RFC 7009).
func (c *call) revoke() error {
	client, token, err := c.clientAnd(inToken)
	if err != nil {
		return err
	}
	q := &oauth.Revoke{Terms: &c.d.terms, Client: client, Token: postern.Secret(token), EndsConnection: c.e.ends, OnlyLive: c.e.refuses}
	t, failure := c.door.Engine.Revoke(c.r.Context(), q)
	switch {
	case postern.Is(failure, postern.NotFound) && c.e.refuses:
		return as(postern.InvalidToken, tokenInvalid, failure)
	case failure != nil && !postern.Is(failure, postern.NotFound):
		return c.secretMissing(client, failure)
	case failure != nil:
		c.note(failure)
	default:
		c.concerns(t)
	}
	v := c.values()
	v.presented, v.clientID = token, client.ClientID
	c.allowOrigin()
	c.e.answer.write(&c.w, c.r, v)
	return nil
}

// revokeAccount ends a connection that the app names by the account's id.
func (c *call) revokeAccount() error {
	client, account, err := c.clientAnd(inAccountID)
	if err != nil {
		return err
	}
	ended, failure := c.door.Engine.RevokeAccount(c.r.Context(), &oauth.RevokeAccount{Terms: &c.d.terms, Client: client, Account: account})
	switch {
	case postern.Is(failure, postern.NotFound) && c.e.refuses:
		return as(postern.InvalidToken, "There is no connection to this account.", failure)
	case failure != nil && !postern.Is(failure, postern.NotFound):
		return c.secretMissing(client, failure)
	case failure != nil:
		c.note(failure)
	default:
		c.proved, c.connection = true, ended
	}
	v := c.values()
	v.presented, v.clientID = account, client.ClientID
	c.e.answer.write(&c.w, c.r, v)
	return nil
}

// clientAnd reads what an app asks or ends, and who it is.
func (c *call) clientAnd(what inputID) (oauth.ClientAuth, string, error) {
	if err := c.readParameters(); err != nil {
		return oauth.ClientAuth{}, "", err
	}
	client, err := c.client()
	if err != nil {
		return client, "", err
	}
	if client.ClientID == "" && client.NamedBy == "" && client.Assertion == "" && !c.basic.broken {
		return client, "", c.unnamed()
	}
	value, err := c.need(what)
	if err != nil {
		return client, "", err
	}
	if !plain(value) { // a path may hide what a body cannot
		return client, "", invalid("parameter_not_text", "The parameter %q is not text.", c.e.inputs[what].name(what)).With("name", c.e.inputs[what].name(what))
	}
	if c.basic.broken {
		return client, "", c.brokenBasic()
	}
	return client, value, nil
}

// introspect says what a token stands for (RFC 7662).
func (c *call) introspect() error {
	client, token, err := c.clientAnd(inToken)
	if err != nil {
		return err
	}
	t, failure := c.door.Engine.Introspect(c.r.Context(), &oauth.Introspect{Terms: &c.d.terms, Client: client, Token: postern.Secret(token)})
	if failure == nil && !c.door.speaks(t.Dialect) {
		failure = postern.Because(postern.InvalidToken, "token_wire_gone", "The wire that the token is of is not spoken here.")
	}
	dead := postern.Is(failure, postern.InvalidToken)
	switch {
	case dead && c.e.refuses:
		return as(postern.InvalidToken, tokenInvalid, failure)
	case dead:
		c.note(failure)
		inactive.write(&c.w, c.r, c.values())
		return nil
	case failure != nil:
		return c.secretMissing(client, failure)
	}
	c.concerns(t)
	v := c.values()
	v.token(t)
	v.presented = token
	c.e.answer.write(&c.w, c.r, v)
	return nil
}

// speaks reports whether a token's wire is mounted, without which the API's check
// could not read it: introspection says the same.
func (d *Door) speaks(dialect string) bool {
	_, mounted := d.Set.Get(dialect)
	return mounted
}

// inactive is RFC 7662 §2.2's answer for every token that is not for the asker:
// the same bytes, whatever the reason.
var inactive = &answer{status: http.StatusOK, types: []answerType{{}},
	body: &object{[]member{{"active", []byte(`"active":`), newLiteral(datum{kind: isBool})}}}}

// token are the values of an answer about a token.
func (v *values) token(t *postern.Token) {
	v.issuedAt, v.expiresAt, v.scopes = t.IssuedAt, t.ExpiresAt, t.Scopes
	v.clientID, v.attrs, v.kept = t.AppID, t.AppAttrs, t.Kept
	v.subject, v.wire = t.Subject(), t.Dialect
	v.connection, v.connectionNumber = t.Connection.ID, t.Connection.Number
	if t.Account.ID != "" {
		v.account = &t.Account
	}
	if t.User.ID != "" {
		v.user = &t.User
	}
	v.userLevel = t.Connection.UserID != ""
}

// whoami tells the holder of a token what it stands for.
func (c *call) whoami() error {
	token, err := c.heldToken(true)
	if err != nil {
		return err
	}
	check := c.door.Engine.Check
	if c.e.refresh {
		check = c.door.Engine.CheckRefresh
	}
	t, failure := check(c.r.Context(), c.d.name, token)
	if failure != nil {
		return failure
	}
	if !c.tenant().Fits(&t.Account) {
		return t.Because(postern.InvalidToken, "token_of_other_account", tokenInvalid)
	}
	c.concerns(t)
	v := c.values()
	v.token(t)
	v.presented = string(token)
	c.e.answer.write(&c.w, c.r, v)
	return nil
}

// revokeHeld ends what a token stands for, for whoever holds it (xref.md §5).
func (c *call) revokeHeld() error {
	token, err := c.heldToken(false)
	if err != nil {
		return err
	}
	end := c.door.Engine.RevokeHeld
	if c.e.refresh {
		end = c.door.Engine.RevokeHeldRefresh
	}
	t, failure := end(c.r.Context(), c.d.name, token, c.e.ends)
	v := c.values()
	switch {
	case failure != nil && !c.e.refuses && postern.Is(failure, postern.InvalidToken):
		c.note(failure)
	case failure != nil:
		return failure
	default:
		c.concerns(t)
		v.token(t)
	}
	v.presented = string(token)
	c.e.answer.write(&c.w, c.r, v)
	return nil
}

// heldToken reads the token of a holder's request. A body is read if the token
// may stand in it; elsewhere it is only noticed, or ignored up to the limit.
func (c *call) heldToken(notice bool) (postern.Secret, error) {
	body, err := readBody(&c.w, c.r)
	if err != nil {
		return "", err
	}
	fields, err := c.heldFields(body, notice)
	if err != nil {
		return "", err
	}
	token, problem := c.e.token.read(c.r, fields, c.m.value)
	if problem != nil {
		return "", problem
	}
	return token, nil
}

// heldFields are the parameters of a holder's body, read as its type says. What
// is neither a form nor JSON holds no token.
func (c *call) heldFields(body string, notice bool) (fields, error) {
	var out fields
	var err error
	placed := has(c.e.token.places, inBody)
	media, _ := mediaOf(c.r)
	switch {
	case media == usualTypes["form"][0] && (notice || placed):
		out, err = parseForm(body, nil)
	case media == usualTypes["json"][0] && placed:
		out, err = parseJSON(body, nil)
	}
	if err != nil && !placed {
		return nil, nil
	}
	if err != nil {
		return nil, invalid("body_malformed", "The body is not well-formed.")
	}
	if name, is := out.repeated(func(name string) bool { return c.e.token.at(inBody, name) >= 0 }); is {
		return nil, twice(name)
	}
	return out, nil
}

func has(places []place, kind placeKind) bool {
	return slices.ContainsFunc(places, func(p place) bool { return p.kind == kind })
}
