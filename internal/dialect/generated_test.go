package dialect_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// draft is a dialect's file, drawn by lot along the language's axes, with what a
// test must know of it. Every draft is valid.
type draft struct {
	*rand.Rand
	name string
	text strings.Builder

	form     bool // answers are forms, not JSON
	scopes   bool
	keep     bool
	second   bool
	renews   bool
	refresh  bool
	offline  bool // a refresh token only for those who ask
	tenant   bool
	pkce     bool // required
	account  bool // level
	byURL    bool // the token endpoint takes all in its address
	signs    bool // apps sign in the place of showing a secret
	reads    string
	absent   []string
	insecure map[string]bool
	// leaves are the members of the answer that hold a value of somebody else's:
	// m_account_name holds $account.name.
	leaves  []string
	headers map[string]string // of the answer: name to value
	params  []string          // of the callback
}

// values that people and partners choose, and so may be hostile.
var chosen = []string{"account.name", "account.handle", "account.attr.evil", "user.name", "user.nickname", "user.email", "app.attr.evil"}

func generate(seed uint64, name string) *draft {
	d := &draft{Rand: rand.New(rand.NewPCG(seed, 76)), name: name, insecure: map[string]bool{}, headers: map[string]string{}}
	d.line("language: 1")
	d.line("name: %s", name)
	d.line("base: /%s", name)
	d.account = d.one(2)
	d.line("level: %s", d.either(d.account, "account", "user"))
	d.line("consent: %s", d.of("always", "remembered"))
	d.pkce = d.one(2)
	d.line("pkce: %s", d.either(d.pkce, "required", "optional"))
	if d.one(4) {
		d.line("verifier: 43-%d", 43+d.IntN(214))
	}
	if d.one(2) {
		d.line("ids: {account: %s}", d.of("hex 32", "base62 24"))
	}
	if d.tenant = d.one(5); d.tenant {
		d.line("tenant: account.attr.shop")
	}
	if d.keep = d.one(2); d.keep {
		d.line("keep: {audience: query audience}")
	}
	d.line("texts: {who: %q}", "${account.name}/${client_id}")
	d.line("apps: {redirect_urls: %s}", d.of("any", "some"))
	d.scopeSyntax()
	d.tokens()
	d.client()
	d.authorize()
	d.token()
	d.api()
	for key := range d.insecure {
		d.line("%s: {because: drawn by lot}", key)
	}
	return d
}

func (d *draft) line(format string, args ...any) { fmt.Fprintf(&d.text, format+"\n", args...) }

func (d *draft) one(in int) bool { return d.IntN(in) == 0 }

func (d *draft) of(words ...string) string { return words[d.IntN(len(words))] }

func (d *draft) either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func (d *draft) scopeSyntax() {
	if d.scopes = !d.one(4); !d.scopes {
		d.line("scopes: none")
		return
	}
	d.line("scopes: {split: [%q], join: %q, absent: %s}", d.of(",", " ", ";"), d.of(",", " ", "+"), d.of("defaults", "skip"))
}

func (d *draft) secret() string {
	form := d.of("hex 32", "hex 40", "hex 64", "base62 22", "base62 45")
	if d.one(3) {
		form += ", prefix: " + d.of("tok_", "x-", "A1")
	}
	return "form: " + form + ", checksum: " + d.of("true", "false")
}

func (d *draft) tokens() {
	d.line("tokens:")
	d.line("  code: {%s, expires: %ds}", d.secret(), 10+d.IntN(591))
	d.renews = d.one(4)
	life := d.of("never", "1h", "90s", "30d")
	absolute := ""
	if d.renews && life != "never" && d.one(2) {
		absolute = ", absolute: 31d"
	}
	d.line("  access: {%s, expires: %s%s}", d.secret(), life, absolute)
	refresh := fmt.Sprintf("{%s, rotate: %s, idle: %s, window: %s}", d.secret(), d.of("always", "never"), d.of("1h", "30d"), d.of("0s", "30s", "300s"))
	switch d.IntN(3) {
	case 0:
		d.line("  refresh: none")
	case 1:
		d.refresh = true
		d.line("  refresh: %s", refresh)
	default:
		d.offline = true
		d.line("  refresh: none")
		d.line("  when: [{query access_type: offline, refresh: %s}]", refresh)
	}
	if d.second = d.scopes && !d.renews && d.one(4); d.second {
		d.line("  second: {asked_by: user_scope, access: {%s, expires: %s}}", d.secret(), d.of("never", "1h"))
	}
	if d.one(3) {
		d.line("  at_once: %d", 2+d.IntN(3))
	}
	grants := []string{"authorization_code: code", "refresh_token: refresh"}
	if d.one(3) {
		grants = []string{"the_code: code", "again: refresh"}
	}
	if d.renews {
		grants = append(grants, "swap: renew")
	}
	d.line("grants: {%s}", strings.Join(grants, ", "))
}

// client draws where an app's credentials travel.
func (d *draft) client() {
	switch d.IntN(7) {
	case 0:
	case 1:
		d.reads = "client_id: body key, client_secret: body pass"
	case 2:
		d.reads = "client_id: body client_id, client_secret: header X-Secret"
	case 3:
		d.reads = "client_id: basic user, client_secret: basic password"
	case 4:
		d.reads, d.absent = "client_id: none, client_secret: scheme Bearer", []string{"client_id: by secret"}
	case 5:
		d.insecure["insecure_secret_in_url"] = true
		d.reads = "client_id: query key, client_secret: query pass"
	default:
		d.reads = "client_id: body client_id as base64url, client_secret: body client_secret as base64"
	}
	if d.signs = d.one(4); d.signs {
		d.assertion()
	}
}

// assertion draws where the text travels by which an app proves itself.
func (d *draft) assertion() {
	place := d.of("body client_assertion", "body proof", "body proof as base64", "header X-Proof")
	kind := d.of("", ", client_assertion_type: none", ", client_assertion_type: body kind")
	if d.insecure["insecure_secret_in_url"] { // and perhaps there is no body
		place, kind = "query proof", d.of(", client_assertion_type: none", ", client_assertion_type: query kind")
	}
	if d.reads != "" {
		d.reads += ", "
	}
	d.reads += "client_assertion: " + place + kind
	if d.one(3) && strings.Contains(d.reads, "client_secret: body") {
		d.reads = secretPlace.ReplaceAllString(d.reads, "client_secret: none")
	}
}

var secretPlace = regexp.MustCompile(`client_secret: [^,]*`)

func (d *draft) authorize() {
	at, reads, absent := "/ask", []string{}, []string{}
	if d.one(3) {
		at += "/{client_id}"
	}
	if d.tenant {
		at += "/of/{tenant}"
	}
	if d.one(3) {
		reads = append(reads, "state: query "+d.of("nonce", "st"))
	}
	if d.one(3) {
		absent = append(absent, "response_type: code")
	}
	if d.one(3) {
		absent = append(absent, "redirect_uri: the registered one")
	}
	if d.second {
		reads = append(reads, "user_scope: query user_scope")
	}
	allowed := []string{"code: $code", "state: $state"}
	d.params = []string{"code", "state", "error", "error_description"}
	for _, extra := range []string{"who: $texts.who", "name: $account.name", "iss: $issuer", "app: $app.attr.evil", "at: $now"} {
		if d.one(4) {
			allowed = append(allowed, extra)
			name, _, _ := strings.Cut(extra, ":")
			d.params = append(d.params, name)
		}
	}
	if d.keep && d.one(2) {
		allowed, d.params = append(allowed, "aud: $kept.audience"), append(d.params, "aud")
	}
	d.Shuffle(len(allowed), func(i, j int) { allowed[i], allowed[j] = allowed[j], allowed[i] })
	sign := ""
	if d.one(4) {
		d.insecure["insecure_recoverable_client_secret"] = true
		sign = ", sign: {as: sig, with: " + d.of("sha256 hex", "sha512 base64", "sha1 base64url") + "}"
		d.params = append(d.params, "sig")
	}
	d.line("authorize:")
	d.line("  at: %q", "GET "+at)
	d.line("  read: {%s}", strings.Join(reads, ", "))
	d.line("  absent: {%s}", strings.Join(absent, ", "))
	d.line("  callback: {allowed: {%s}, failed: {error: $error, state: $state}%s}", strings.Join(allowed, ", "), sign)
}

func (d *draft) token() {
	reads, absent := []string{}, append([]string{}, d.absent...)
	if d.reads != "" {
		reads = append(reads, d.reads)
	}
	method, accepts := "POST", d.of("[json]", "[form]", "[json, form]", "{json: [application/json, application/*+json], form: [application/x-www-form-urlencoded]}")
	if d.byURL = d.insecure["insecure_secret_in_url"] && d.one(2); d.byURL {
		method = "GET"
		d.insecure["insecure_get_token_request"] = true
		reads = append(reads, "grant_type: query grant_type, code: query code, redirect_uri: query redirect_uri, code_verifier: query code_verifier, refresh_token: query refresh_token, scope: query scope")
	} else if d.one(3) {
		reads = append(reads, "code: body "+d.of("auth_code", "c"))
	}
	if d.renews {
		place := "body"
		if d.byURL {
			place = "query"
			d.insecure["insecure_token_in_url"] = true
		}
		reads = append(reads, "access_token: "+place+" old_token")
	}
	if d.one(2) {
		absent = append(absent, "redirect_uri: skip")
	}
	d.line("token:")
	d.line("  at: %s /token", method)
	d.line("  accepts: %s", accepts)
	d.line("  read: {%s}", strings.Join(reads, ", "))
	d.line("  absent: {%s}", strings.Join(absent, ", "))
	d.answer()
	d.line("  errors: {status: %s, names: {invalid_grant: %s, code_used: %s}, body: {%s}}", d.of("200", "400", "{invalid_grant: 418}"),
		d.of("bad_code", "1001"), d.of("used", "invalid_grant"), d.of("error: $error", "ok: false, code: $error, why: {text: $error_description}", "error: $error, error_description: $error_description"))
}

func (d *draft) answer() {
	members := []string{"access_token: $access_token", "token_type: $token_type", "expires_in: $expires_in"}
	if d.refresh || d.offline || d.one(3) && d.refresh {
		members = append(members, "refresh_token: $refresh_token")
	}
	if d.scopes {
		members = append(members, "scope: $scope")
	}
	if d.second {
		members = append(members, "second_token: $second.access_token", "second_scope: $second.scope")
	}
	pool := append([]string{}, chosen...)
	if d.keep {
		pool = append(pool, "kept.audience")
	}
	for _, value := range pool {
		if d.one(2) {
			leaf := "m_" + strings.ReplaceAll(value, ".", "_")
			d.leaves = append(d.leaves, value)
			members = append(members, leaf+": $"+value)
		}
	}
	d.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	if d.form = d.one(3); !d.form && d.one(2) {
		at := d.IntN(len(members))
		members = append(members[:at:at], `"odd\"\n{name}": {list: [1, $account.name, {deep: null}], `+strings.Join(members[at:], ", ")+`}`)
	}
	headers := ""
	if d.one(2) {
		d.headers["X-Who"], d.headers["X-Odd"] = "account.name", "user.nickname"
		headers = ", headers: {X-Who: $account.name, X-Odd: $user.nickname}"
	}
	d.line("  answer: {status: %s, type: %s%s, body: {%s}}", d.of("200", "201"), d.either(d.form, "form", "json"), headers, strings.Join(members, ", "))
}

func (d *draft) api() {
	place := d.of("scheme Bearer", "scheme Token", "header X-Token", "basic user", "scheme Key as base64", "query token")
	if strings.HasPrefix(place, "query") {
		d.insecure["insecure_token_in_url"] = true
	}
	d.line("api: {read: {access_token: %s}, errors: {status: %s}}", place, d.of("200", "401", "{invalid_token: 404}"))
	if d.one(2) {
		d.line("whoami: {at: GET /me, answer: {id: $account.id, name: $account.name, aud: $dialect}}")
	}
	ends := d.of("token", "connection")
	unknown := d.of("ok", "refuse")
	if d.one(2) {
		d.line("revoke: [{at: POST /end, by: holder, read: {token: %s}, ends: %s, unknown: %s}]", place, ends, unknown)
	} else {
		d.line("revoke: [{at: POST /end, accepts: %s, read: {%s}, absent: {%s}, ends: %s, unknown: %s}]", d.of("[json]", "[form]"), d.reads, strings.Join(d.absent, ", "), ends, unknown)
	}
	if d.one(2) {
		d.line("introspect: {at: POST /look, read: {%s}, absent: {%s}}", d.reads, strings.Join(d.absent, ", "))
	}
	d.line("event_data: {name: $account.name}")
}
