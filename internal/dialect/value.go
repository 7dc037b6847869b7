package dialect

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// values is what the named values of a tree stand for in one answer. What an
// answer has nothing of stays empty, and its members are then left out.
type values struct {
	dialect *Dialect
	issuer  string

	clientID string
	attrs    map[string]string // of the app
	account  *postern.Account
	user     *postern.User

	access, refresh          postern.Secret
	issuedAt                 time.Time
	expiresAt                time.Time // zero: never
	refreshExpiresAt         time.Time
	scopes                   []string
	connection               string
	connectionNumber         int64
	subject                  string
	wire                     string // the dialect that the token was issued in
	userLevel                bool   // the token acts for one user
	kept                     map[string]string
	second                   *oauth.Second
	event                    *Happening
	code, state, presented   string
	tenant, host, requestID  string
	refused                  postern.Kind
	word, message, errorLink string
	status                   int
	item                     string // of a list that repeats: the scope at hand
	now                      time.Time
}

// datum is one value on its way out.
type datum struct {
	kind datumKind
	s    string
	n    int64
	t    time.Time
	list []string
}

type datumKind uint8

const (
	absent  datumKind = iota
	isText            // s
	isNum             // n
	isTime            // t; said as Unix seconds unless a suffix says otherwise
	isWords           // list; said joined as scopes.join says
	isList            // list; said as a list
	isNull
	isBool // n
)

func textOf(s string) datum {
	if s == "" {
		return datum{}
	}
	return datum{kind: isText, s: s}
}

func numberOf(n int64) datum {
	if n == 0 {
		return datum{}
	}
	return datum{kind: isNum, n: n}
}

func timeOf(t time.Time) datum {
	if t.IsZero() {
		return datum{}
	}
	return datum{kind: isTime, t: t}
}

// source is a named value: what kind of thing it is, and how to get it.
type source struct {
	kind datumKind
	get  func(*values) datum
}

// named are the values that trees may use (docs/dialects.md, "Values"). Names of
// attributes, kept parameters and texts are resolved in lookup.
var named = map[string]source{
	"client_id":          {isText, func(v *values) datum { return textOf(v.clientID) }},
	"access_token":       {isText, func(v *values) datum { return textOf(string(v.access)) }},
	"refresh_token":      {isText, func(v *values) datum { return textOf(string(v.refresh)) }},
	"token_type":         {isText, func(v *values) datum { return textOf("Bearer") }},
	"expires_in":         {isNum, (*values).expiresIn},
	"expires_at":         {isTime, func(v *values) datum { return timeOf(v.expiresAt) }},
	"issued_at":          {isTime, func(v *values) datum { return timeOf(v.issuedAt) }},
	"refresh_expires_in": {isNum, func(v *values) datum { return v.secondsTo(v.refreshExpiresAt) }},
	"scope":              {isWords, (*values).scope},
	"item":               {isText, func(v *values) datum { return textOf(v.item) }},
	"code":               {isText, func(v *values) datum { return textOf(v.code) }},
	"state":              {isText, func(v *values) datum { return textOf(v.state) }},
	"issuer":             {isText, func(v *values) datum { return textOf(v.issuer) }},

	"account.id":     {isText, (*values).accountID},
	"account.handle": {isText, ofAccount(func(a *postern.Account) datum { return textOf(a.Handle) })},
	"account.name":   {isText, ofAccount(func(a *postern.Account) datum { return textOf(a.Name) })},
	"account.number": {isNum, ofAccount(func(a *postern.Account) datum { return numberOf(a.Number) })},
	"user.id":        {isText, ofUser(func(u *postern.User) datum { return textOf(u.ID) })},
	"user.nickname":  {isText, ofUser(func(u *postern.User) datum { return textOf(u.Nick()) })},
	"user.name":      {isText, ofUser(func(u *postern.User) datum { return textOf(u.Name) })},
	"user.email":     {isText, ofUser(func(u *postern.User) datum { return textOf(u.Email) })},
	"user.number":    {isNum, ofUser(func(u *postern.User) datum { return numberOf(u.Number) })},

	"second.access_token": {isText, ofSecond(func(_ *values, s *oauth.Second) datum { return textOf(string(s.AccessToken)) })},
	"second.scope":        {isWords, ofSecond(func(_ *values, s *oauth.Second) datum { return datum{kind: isWords, list: s.Scopes} })},
	"second.token_type":   {isText, ofSecond(func(*values, *oauth.Second) datum { return textOf(string(postern.UserLevel)) })},
	"second.expires_in":   {isNum, ofSecond(func(v *values, s *oauth.Second) datum { return v.secondsTo(s.ExpiresAt) })},
	"second.expires_at":   {isTime, ofSecond(func(_ *values, s *oauth.Second) datum { return timeOf(s.ExpiresAt) })},

	"event.id":     {isText, ofEvent(func(h *Happening) datum { return textOf(h.ID) })},
	"event.type":   {isText, ofEvent(func(h *Happening) datum { return textOf(string(h.Type)) })},
	"event.reason": {isText, ofEvent(func(h *Happening) datum { return textOf(string(h.Reason)) })},
	"event.at":     {isTime, ofEvent(func(h *Happening) datum { return timeOf(h.At) })},
	"event.scopes": {isWords, ofEvent(func(h *Happening) datum {
		if h.Scopes == nil {
			return datum{}
		}
		return datum{kind: isWords, list: h.Scopes}
	})},

	"owner.id":       {isText, ofOwner(func(u *postern.User) datum { return textOf(u.ID) })},
	"owner.nickname": {isText, ofOwner(func(u *postern.User) datum { return textOf(u.Nick()) })},

	"connection.id":     {isText, func(v *values) datum { return textOf(v.connection) }},
	"connection.number": {isNum, func(v *values) datum { return numberOf(v.connectionNumber) }},
	"subject":           {isText, func(v *values) datum { return textOf(v.subject) }},
	"dialect":           {isText, func(v *values) datum { return textOf(v.wire) }},
	"tenant":            {isText, func(v *values) datum { return textOf(v.tenant) }},
	"host":              {isText, func(v *values) datum { return textOf(v.host) }},
	"presented":         {isText, func(v *values) datum { return textOf(v.presented) }},
	"now":               {isTime, func(v *values) datum { return timeOf(v.now) }},
	"request_id":        {isText, func(v *values) datum { return textOf(v.requestID) }},
	"error":             {isText, (*values).errorWord},
	"rfc_error":         {isText, (*values).rfcWord},
	"error_description": {isText, func(v *values) datum { return textOf(v.message) }},
	"error_uri":         {isText, func(v *values) datum { return textOf(v.errorLink) }},
	"status":            {isNum, func(v *values) datum { return numberOf(int64(v.status)) }},
}

func (v *values) expiresIn() datum { return v.secondsTo(v.expiresAt) }

// secondsTo is a whole number of seconds below 2^31, never 0 (clients.md R2): a
// time that has passed, or none, leaves the member out.
func (v *values) secondsTo(t time.Time) datum {
	if t.IsZero() {
		return datum{}
	}
	from := v.issuedAt
	if from.IsZero() {
		from = v.now
	}
	return numberOf(max(0, min(int64(t.Sub(from)/time.Second), 1<<31-1)))
}

// scope is said even when nothing was granted, as the empty text, since clients
// of wires with scopes split it unasked; wires without scopes have none to say.
func (v *values) scope() datum {
	if v.dialect.terms.NoScopes || v.access == "" && v.second != nil || v.word != "" { // a refusal grants none
		return datum{}
	}
	return datum{kind: isWords, list: v.scopes}
}

// errorWord is a word, or a number where the file's names say so.
func (v *values) errorWord() datum {
	if n, err := strconv.ParseInt(v.word, 10, 64); err == nil {
		return datum{kind: isNum, n: n}
	}
	return textOf(v.word)
}

// rfcWord is what the RFCs call a refusal, for wires that say it beside a word of
// their own.
func (v *values) rfcWord() datum {
	return textOf(cmp.Or(rfcNames[v.refused], string(v.refused.Parent())))
}

// accountID is the account's id on this wire: its own where the dialect has ids
// of its own, the product's elsewhere.
func (v *values) accountID() datum {
	switch {
	case v.account == nil:
		return datum{}
	case v.dialect.terms.AccountIDs != nil && v.account.WireID != "":
		return textOf(v.account.WireID)
	}
	return textOf(v.account.ID)
}

func ofAccount(get func(*postern.Account) datum) func(*values) datum {
	return func(v *values) datum {
		if v.account == nil {
			return datum{}
		}
		return get(v.account)
	}
}

func ofUser(get func(*postern.User) datum) func(*values) datum {
	return func(v *values) datum {
		if v.user == nil {
			return datum{}
		}
		return get(v.user)
	}
}

// ofOwner is ofUser for the user that a user-level token acts for; $user is
// whoever approved, at account level too.
func ofOwner(get func(*postern.User) datum) func(*values) datum {
	return func(v *values) datum {
		if v.user == nil || !v.userLevel {
			return datum{}
		}
		return get(v.user)
	}
}

// ofSecond is a value of the second token; absent where none was asked for.
func ofSecond(get func(*values, *oauth.Second) datum) func(*values) datum {
	return func(v *values) datum {
		if v.second == nil {
			return datum{}
		}
		return get(v, v.second)
	}
}

// value is a named value with its suffixes.
type value struct {
	name  string // as the file writes it
	base  string // without suffixes
	kind  datumKind
	get   func(*values) datum
	forms []func(datum) datum
}

func (x *value) datum(v *values) datum {
	d := x.get(v)
	for _, form := range x.forms {
		d = form(d)
	}
	return d
}

// form is a suffix: which kinds it takes, and what it makes of them.
type form struct {
	from []datumKind
	to   datumKind
	make func(datum) datum
}

// suffixes are the forms a value can take. All but or_null leave an absent value
// absent.
var suffixes = map[string]form{
	"string":    {[]datumKind{isText, isNum, isTime, isWords}, isText, func(d datum) datum { return datum{kind: isText, s: string(d.appendText(nil, " "))} }},
	"number":    {[]datumKind{isText, isNum, isTime}, isNum, toNumber},
	"list":      {[]datumKind{isWords, isText}, isList, toList},
	"unix":      {[]datumKind{isTime}, isNum, func(d datum) datum { return datum{kind: isNum, n: d.t.Unix()} }},
	"unix_ms":   {[]datumKind{isTime}, isNum, func(d datum) datum { return datum{kind: isNum, n: d.t.UnixMilli()} }},
	"rfc3339":   {[]datumKind{isTime}, isText, func(d datum) datum { return datum{kind: isText, s: d.t.UTC().Format(time.RFC3339)} }},
	"base64":    {[]datumKind{isText, isNum}, isText, encoded(base64.StdEncoding)},
	"base64url": {[]datumKind{isText, isNum}, isText, encoded(base64.RawURLEncoding)},
	"or_null":   {[]datumKind{isText, isNum, isTime, isWords, isList}, absent, nil},
}

func encoded(e *base64.Encoding) func(datum) datum {
	return func(d datum) datum { return datum{kind: isText, s: e.EncodeToString(d.appendText(nil, " "))} }
}

func toNumber(d datum) datum {
	switch d.kind {
	case isTime:
		return datum{kind: isNum, n: d.t.Unix()}
	case isText:
		n, err := strconv.ParseInt(d.s, 10, 64)
		if err != nil {
			return datum{}
		}
		return datum{kind: isNum, n: n}
	}
	return d
}

func toList(d datum) datum {
	if d.kind == isText {
		return datum{kind: isList, list: []string{d.s}}
	}
	return datum{kind: isList, list: d.list}
}

func orNull(d datum) datum {
	if d.kind == absent {
		return datum{kind: isNull}
	}
	return d
}

// parseValue reads account.attr.region.base64 (the text after the dollar).
func (c *compiler) parseValue(text string) (*value, error) {
	pieces := strings.Split(text, ".")
	if slices.Contains(pieces, "") {
		return nil, fmt.Errorf("$%s is no value", text)
	}
	src, used, err := c.lookup(pieces)
	if err != nil {
		return nil, err
	}
	x := &value{name: text, base: strings.Join(pieces[:used], "."), kind: src.kind, get: src.get}
	for _, suffix := range pieces[used:] {
		f, ok := suffixes[suffix]
		if !ok {
			return nil, fmt.Errorf("$%s: unknown form .%s; known: .%s", text, suffix, strings.Join(slices.Sorted(maps.Keys(suffixes)), " ."))
		}
		if !slices.Contains(f.from, x.kind) {
			return nil, fmt.Errorf("$%s: .%s does not fit this value", text, suffix)
		}
		if suffix == "or_null" {
			x.forms = append(x.forms, orNull)
			continue
		}
		x.forms = append(x.forms, unlessAbsent(f.make))
		x.kind = f.to
	}
	return x, nil
}

func unlessAbsent(f func(datum) datum) func(datum) datum {
	return func(d datum) datum {
		if d.kind == absent || d.kind == isNull {
			return d
		}
		return f(d)
	}
}

// lookup finds the named value that the first pieces spell, and how many they are.
func (c *compiler) lookup(pieces []string) (source, int, error) {
	if len(pieces) >= 3 && pieces[1] == "attr" {
		if get := attribute(pieces[0], pieces[2]); get != nil {
			return source{isText, get}, 3, nil
		}
	}
	if len(pieces) >= 2 {
		name := pieces[1]
		if pieces[0] == "kept" {
			if !c.keeps(name) {
				return source{}, 0, fmt.Errorf("$kept.%s: no keep says where %s comes from", name, name)
			}
			return source{isText, func(v *values) datum { return textOf(v.kept[name]) }}, 2, nil
		}
		if src, ok := named[pieces[0]+"."+name]; ok {
			if pieces[0] == "second" && c.spec.Tokens.Second == nil {
				return source{}, 0, fmt.Errorf("$second.%s: the tokens have no second; write tokens: {second: {asked_by: user_scope}}", name)
			}
			return src, 2, nil
		}
	}
	if pieces[0] == "item" && !c.repeats {
		return source{}, 0, fmt.Errorf("$item is the word at hand of a list that repeats; write it in [{%s: $scope, name: $item}]", each)
	}
	if src, ok := named[pieces[0]]; ok {
		return src, 1, nil
	}
	at := 0
	if pieces[0] == "texts" && len(pieces) > 1 {
		at = 1
	}
	if t := c.texts[pieces[at]]; t != nil {
		return source{isText, t.datum}, at + 1, nil
	}
	return source{}, 0, fmt.Errorf("unknown value $%s%s", strings.Join(pieces, "."), yamlfile.Suggest(strings.Join(pieces, "."), slices.Sorted(maps.Keys(named))))
}

func attribute(of, name string) func(*values) datum {
	switch of {
	case "app":
		return func(v *values) datum { return textOf(v.attrs[name]) }
	case "account":
		return ofAccount(func(a *postern.Account) datum { return textOf(a.Attributes[name]) })
	case "user":
		return ofUser(func(u *postern.User) datum { return textOf(u.Attributes[name]) })
	}
	return nil
}

// appendText writes a datum as text; words are joined by the separator.
func (d datum) appendText(b []byte, separator string) []byte {
	switch d.kind {
	case isText:
		return append(b, d.s...)
	case isNum:
		return strconv.AppendInt(b, d.n, 10)
	case isTime:
		return strconv.AppendInt(b, d.t.Unix(), 10)
	case isBool:
		return strconv.AppendBool(b, d.n != 0)
	case isWords, isList:
		for i, s := range d.list {
			if i > 0 {
				b = append(b, separator...)
			}
			b = append(b, s...)
		}
	}
	return b
}

// appendJSON writes a datum as JSON.
func (d datum) appendJSON(b []byte, separator string) []byte {
	switch d.kind {
	case isText:
		return appendJSONString(b, d.s)
	case isWords:
		return appendJSONString(b, strings.Join(d.list, separator))
	case isList:
		b = append(b, '[')
		for i, s := range d.list {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSONString(b, s)
		}
		return append(b, ']')
	case isNull:
		return append(b, "null"...)
	}
	return d.appendText(b, separator)
}
