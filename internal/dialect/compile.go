package dialect

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// Lifetimes bound what is handed out where a file does not say.
type Lifetimes struct {
	Code     time.Duration
	Access   time.Duration
	Refresh  time.Duration // from last use
	Absolute time.Duration // of a refresh token's family; 0: none
	Window   time.Duration // in which a rotated refresh token gives the same answer again
}

// DefaultLifetimes hold where the configuration says nothing.
var DefaultLifetimes = Lifetimes{
	Code: 300 * time.Second, Access: time.Hour, Refresh: 180 * 24 * time.Hour, Window: 30 * time.Second,
}

// The product's own forms of codes and tokens: a kind prefix and a checksum let
// secret scanners find one that leaked.
var (
	codeForm    = postern.Form{Alphabet: postern.Base62, Length: 43, Prefix: "poc_", Checksum: true}
	accessForm  = postern.Form{Alphabet: postern.Base62, Length: 43, Prefix: "poa_", Checksum: true}
	refreshForm = postern.Form{Alphabet: postern.Base62, Length: 43, Prefix: "por_", Checksum: true}
)

const (
	language     = 1
	leastBits    = 128
	maxVerifier  = 256
	minVerifier  = 43
	rfcVerifier  = 128
	maxTokenSize = 255
)

// compiler turns a file into a dialect. It goes on after a mistake, so that all
// of them are told at once.
type compiler struct {
	spec      *spec
	d         *Dialect
	lifetimes Lifetimes
	texts     map[string]leaf
	repeats   bool // within an item that repeats, where $item is
	problems  yamlfile.Problems
}

func (c *compiler) report(n *yamlfile.Node, format string, args ...any) {
	c.problems = append(c.problems, n.Problem(format, args...))
}

func (c *compiler) reportKey(n *yamlfile.Node, key, format string, args ...any) {
	c.problems = append(c.problems, n.ProblemAt(key, format, args...))
}

// choose reads a word of a few; empty takes the first.
func (c *compiler) choose(key, word string, words ...string) string {
	if word == "" {
		return words[0]
	}
	if !slices.Contains(words, word) {
		c.reportKey(c.spec.Node, key, "unknown value %q%s", word, yamlfile.Suggest(word, words))
		return words[0]
	}
	return word
}

var dialectName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)

func (c *compiler) compile() {
	s := c.spec
	if s.Language != language {
		c.reportKey(s.Node, "language", "this version reads language %d", language)
	}
	if !dialectName.MatchString(s.Name) {
		c.reportKey(s.Node, "name", "a name is up to 32 lower-case letters, digits, - and _, and begins with a letter")
	}
	c.d.name = s.Name
	c.mounting()
	c.namedTexts()
	c.keeping()
	c.terms()
	c.scopeSyntax()
	c.insecurities()
	c.appRules()
	c.grants()
	c.holders()
	c.authorize()
	c.token()
	c.whoami()
	c.introspect()
	c.revocation()
	c.metadata()
	c.keySet()
	if s.EventData != nil {
		c.d.eventData = c.mappingTree(s.EventData)
	}
	c.legacyEvents()
}

func (c *compiler) mounting() {
	s := c.spec
	if s.Base != nil {
		c.d.base = *s.Base
		if _, err := parseBase(*s.Base); err != nil {
			c.reportKey(s.Node, "base", "%v", err)
			c.d.base = ""
		}
	}
	for _, h := range []struct {
		key, host string
		into      *[]part
	}{{"login", s.Hosts.Login, &c.d.loginHost}, {"api", s.Hosts.API, &c.d.apiHost}} {
		if h.host == "" {
			continue
		}
		labels, err := parseHost(h.host)
		if err != nil {
			c.reportKey(s.Node.Member("hosts"), h.key, "%v", err)
		}
		*h.into = labels
	}
	if s.Tenant != "" {
		key, ok := strings.CutPrefix(s.Tenant, "account.")
		if attr, isAttr := strings.CutPrefix(key, "attr."); !ok || !isAttr && !slices.Contains(accountKeys, key) || isAttr && !isName(attr) {
			c.reportKey(s.Node, "tenant", "say what the tenant's name is: account.handle, account.id, account.name, account.number or account.attr.X")
		}
		c.d.tenant = key
	}
}

// namedTexts compiles texts in their order; a later one may use an earlier one.
func (c *compiler) namedTexts() {
	c.texts = map[string]leaf{}
	for _, t := range c.spec.Texts {
		l, err := c.parseText(t.Value)
		switch {
		case !isName(t.Key):
			c.report(t.Node, "%q is no name for a text", t.Key)
		case err != nil:
			c.report(t.Node, "%v", err)
		default:
			c.texts[t.Key] = l
			c.d.texts = append(c.d.texts, member{name: t.Key, tree: l})
		}
	}
}

func (c *compiler) keeping() {
	for _, k := range c.spec.Keep {
		if !isName(k.Key) {
			c.report(k.Node, "%q is no name for a kept parameter", k.Key)
		}
		c.d.keep = append(c.d.keep, kept{k.Key, c.places(k.Value, inQuery)})
	}
}

func (c *compiler) keeps(name string) bool {
	return slices.ContainsFunc(c.d.keep, func(k kept) bool { return k.name == name })
}

// mappingTree compiles an answer that must be a mapping.
func (c *compiler) mappingTree(n *yamlfile.Node) *object {
	if n.Kind != yamlfile.Mapping {
		c.report(n, "write a mapping of members, as in {account: $account.id}")
		return &object{}
	}
	return c.object(n)
}

func (c *compiler) terms() {
	s := c.spec
	t := &c.d.terms
	t.Dialect = s.Name
	t.Level = postern.Level(c.choose("level", s.Level, "user", "account"))
	t.PKCE = oauth.PKCE(c.choose("pkce", s.PKCE, "required", "optional"))
	t.Consent = oauth.Consent(c.choose("consent", s.Ask, "remembered", "always"))
	t.AtOnce = s.Tokens.AtOnce
	if t.AtOnce < 0 {
		c.reportKey(s.Node.Member("tokens"), "at_once", "at least 1; leave the key out for no cap")
	}
	if s.IDs.Account != "" {
		f, err := parseSecretForm(s.IDs.Account)
		if err != nil {
			c.reportKey(s.Node.Member("ids"), "account", "%v", err)
		}
		t.AccountIDs = &f
	}
	c.codeTerms()
	c.accessTerms()
	c.refreshTerms()
	c.secondTerms()
	c.verifier()
	c.variants()
}

func (c *compiler) codeTerms() {
	code := c.spec.Tokens.Code
	t := oauth.CodeTerms{Form: codeForm, Life: c.lifetimes.Code}
	if code.Node != nil {
		t.Form = c.form(code.Node, codeForm, code.Form, code.Prefix, code.Checksum)
		if code.Expires != 0 {
			t.Life = code.Expires
		}
		if t.Life < 10*time.Second || t.Life > 600*time.Second {
			c.reportKey(code.Node, "expires", "a code lives 10s to 600s")
		}
	}
	c.d.terms.Code = t
}

func (c *compiler) accessTerms() {
	usual := oauth.AccessTerms{Form: accessForm, Life: c.lifetimes.Access, Signed: c.publishesKeys()}
	c.d.terms.RefreshWithoutSecret = c.spec.RefreshBare != nil
	t := c.access(c.spec.Tokens.Access, usual)
	renews := slices.ContainsFunc(c.spec.Grants, func(g yamlfile.Entry[string]) bool { return meanings[g.Value] == byRenewal })
	if renews && t.Absolute == 0 && t.Life > 0 && t.Life < c.lifetimes.Absolute {
		t.Absolute = c.lifetimes.Absolute
	}
	c.d.terms.Access = t
}

// secondTerms: a second token is the approver's own, whatever the dialect's level.
func (c *compiler) secondTerms() {
	s := c.spec.Tokens.Second
	if s == nil {
		return
	}
	if s.AskedBy != inputNames[inUserScope] {
		c.reportKey(s.Node, "asked_by", "the input that asks for a second token is user_scope")
	}
	if s.Level != "" && s.Level != string(postern.UserLevel) {
		c.reportKey(s.Node, "level", "a second token acts as the person who approved; write user")
	}
	if s.Access.Imported != "" {
		c.reportKey(s.Access.Node, "imported", "only first tokens are moved in; write the pattern under tokens.access")
	}
	if s.Access.Format != "" {
		c.reportKey(s.Access.Node, "format", "a second token is always opaque; leave the key out")
	}
	if c.spec.Tokens.AtOnce == 1 {
		c.reportKey(c.spec.Node.Member("tokens"), "at_once", "at least 2: where an app is of level user, both tokens are of one connection")
	}
	t := c.access(s.Access, oauth.AccessTerms{Form: accessForm, Life: c.lifetimes.Access})
	c.d.terms.Second = &t
}

// access lays what a file says of access tokens over the usual terms.
func (c *compiler) access(s accessSpec, t oauth.AccessTerms) oauth.AccessTerms {
	if s.Node == nil {
		return t
	}
	t.Form = c.form(s.Node, t.Form, s.Form, s.Prefix, s.Checksum)
	switch {
	case s.Expires == nil:
	case s.Expires.Never:
		t.Life = 0
	case s.Expires.Of < time.Second:
		c.reportKey(s.Node, "expires", "a token lives at least 1s")
	default:
		t.Life = s.Expires.Of
	}
	if s.Absolute != nil {
		t.Absolute = *s.Absolute
		if t.Absolute < t.Life || t.Life == 0 || t.Absolute < time.Second {
			c.reportKey(s.Node, "absolute", "an absolute life is what renewals add up to; write one longer than expires, which is not never")
		}
	}
	t.Signed = c.signed(s, t)
	if s.Imported != "" {
		c.d.imported = c.pattern(s.Node, "imported", s.Imported)
	}
	return t
}

// pattern compiles a regular expression that must match the whole text.
func (c *compiler) pattern(n *yamlfile.Node, key, text string) *regexp.Regexp {
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		c.reportKey(n, key, "%q is no regular expression: %v", text, err)
		return nil
	}
	return re
}

func (c *compiler) refreshTerms() {
	c.d.terms.Refresh = c.refresh(c.spec.Tokens.Refresh, &oauth.RefreshTerms{
		Form: refreshForm, Rotate: true, Window: c.lifetimes.Window,
		Idle: c.lifetimes.Refresh, Absolute: c.lifetimes.Absolute,
	})
}

// refresh lays what a file says of refresh tokens over the usual terms; nil: none.
func (c *compiler) refresh(b block[refreshSpec], usual *oauth.RefreshTerms) *oauth.RefreshTerms {
	switch {
	case b.None:
		return nil
	case !b.Given:
		return usual
	}
	r, t := b.Of, *usual
	t.Form = c.form(r.Node, t.Form, r.Form, r.Prefix, r.Checksum)
	switch r.Rotate {
	case "":
	case "always":
		t.Rotate = true
	case "never":
		t.Rotate = false
	default:
		c.reportKey(r.Node, "rotate", "unknown value %q; known: always, never", r.Rotate)
	}
	if r.Idle != nil {
		t.Idle = *r.Idle
	}
	if t.Idle < time.Minute {
		c.reportKey(r.Node, "idle", "a refresh token lives at least 1m from its last use")
	}
	if r.Absolute != nil {
		t.Absolute = *r.Absolute
	}
	if r.Window != nil {
		t.Window = *r.Window
	}
	if t.Window > 300*time.Second {
		c.reportKey(r.Node, "window", "the retry window is 0s to 300s")
	}
	return &t
}

func (c *compiler) verifier() {
	c.d.verifier = rfcVerifier
	if c.spec.Verify == "" {
		return
	}
	low, high, ok := strings.Cut(c.spec.Verify, "-")
	from, err := strconv.Atoi(low)
	to, err2 := strconv.Atoi(high)
	if !ok || err != nil || err2 != nil || from != minVerifier || to < from || to > maxVerifier {
		c.reportKey(c.spec.Node, "verifier", "write 43-128 (RFC 7636), or up to 43-256")
		return
	}
	c.d.verifier = to
}

// form reads how a secret looks. A prefix belongs to the product's own form
// unless the file brings its own.
func (c *compiler) form(n *yamlfile.Node, usual postern.Form, text, prefix string, checksum *bool) postern.Form {
	f := usual
	if text != "" {
		var err error
		if f, err = parseSecretForm(text); err != nil {
			c.reportKey(n, "form", "%v", err)
			return usual
		}
	}
	if n.Member("prefix") != nil {
		f.Prefix = prefix
	}
	if checksum != nil {
		f.Checksum = *checksum
	}
	for i := range len(f.Prefix) {
		if !letterOrDigit(f.Prefix[i]) && f.Prefix[i] != '_' && f.Prefix[i] != '-' {
			c.reportKey(n, "prefix", "a prefix is letters, digits, _ and -")
			break
		}
	}
	if f.Len() > maxTokenSize {
		c.reportKey(n, "form", "longer than %d characters, which partners' columns do not hold", maxTokenSize)
	}
	return f
}

// parseSecretForm reads "hex 64" or "base62 45".
func parseSecretForm(text string) (postern.Form, error) {
	alphabet, length, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(length)
	f := postern.Form{Length: n}
	switch alphabet {
	case "hex":
		f.Alphabet = postern.Hex
	case "base62":
		f.Alphabet = postern.Base62
	default:
		err = fmt.Errorf("unknown alphabet")
	}
	if err != nil || n < 1 || n > maxTokenSize {
		return postern.Form{Alphabet: postern.Hex, Length: 64}, fmt.Errorf("%q is no form; write hex 64 or base62 45: an alphabet and a length up to %d", text, maxTokenSize)
	}
	return f, nil
}

func (c *compiler) scopeSyntax() {
	s := c.spec.Scopes
	c.d.scopes = scopeSyntax{split: " ,", join: " "}
	c.d.terms.NoScopes = s.None
	c.d.terms.ScopesRequired = true
	if s.Node == nil || s.None {
		return
	}
	if len(s.Of.Split) > 0 {
		c.d.scopes.split = ""
	}
	for _, sep := range s.Of.Split {
		if len(sep) != 1 || letterOrDigit(sep[0]) || strings.Contains("._:/-", sep) {
			c.reportKey(s.Node, "split", "%q: scopes are separated by one character that no scope has", sep)
			continue
		}
		c.d.scopes.split += sep
	}
	if s.Of.Join != nil {
		c.d.scopes.join = *s.Of.Join
		if len(c.d.scopes.join) != 1 {
			c.reportKey(s.Node, "join", "scopes are joined by one character")
		}
	}
	switch s.Of.Absent {
	case "", "defaults":
	case "skip":
		c.d.terms.ScopesRequired = false
	default:
		c.reportKey(s.Node, "absent", "unknown value %q; known: defaults, skip", s.Of.Absent)
	}
}

func (c *compiler) insecurities() {
	s := c.spec
	for _, k := range []struct {
		name string
		of   *because
	}{
		{"insecure_secret_in_url", s.SecretInURL},
		{"insecure_token_in_url", s.TokenInURL},
		{"insecure_get_token_request", s.GetToken},
		{"insecure_weak_imported_secrets", s.WeakImported},
		{"insecure_refresh_without_secret", s.RefreshBare},
		{"insecure_recoverable_client_secret", s.Recoverable},
	} {
		if k.of == nil {
			continue
		}
		if strings.TrimSpace(k.of.Because) == "" {
			c.reportKey(s.Node, k.name, "say why: {because: TEXT}")
		}
		c.d.insecure = append(c.d.insecure, Insecurity{k.name, k.of.Because})
	}
}

func (d *Dialect) allows(insecure string) bool {
	return slices.ContainsFunc(d.insecure, func(i Insecurity) bool { return i.Key == insecure })
}

// grants: those of the file; else the code and, where there are refresh tokens,
// their refresh; and client credentials only with the RFC's own token endpoint,
// which a file without a token block has.
func (c *compiler) grants() {
	s := c.spec
	if len(s.Grants) == 0 {
		c.d.grants = []grant{{"authorization_code", byCode}}
		if c.d.refreshes() && s.Refresh == nil {
			c.d.grants = append(c.d.grants, grant{"refresh_token", byRefresh})
		}
		if s.Token == nil {
			c.d.grants = append(c.d.grants, grant{"client_credentials", byClient})
		}
		return
	}
	for _, g := range s.Grants {
		m, ok := meanings[g.Value]
		if !ok {
			c.report(g.Node, "unknown meaning %q; known: code, refresh, client, renew", g.Value)
		}
		if m == byRenewal && s.Tokens.Second != nil {
			c.report(g.Node, "a wire with a second token has no renew: which of the two would be renewed?")
		}
		c.d.grants = append(c.d.grants, grant{g.Key, m})
	}
}
