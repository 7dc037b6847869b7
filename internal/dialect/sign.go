package dialect

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"maps"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// signSpec is a keyed digest: sign: {as: hmac, with: sha256 hex, over: sorted
// query, key: client secret}.
type signSpec struct {
	Node *yamlfile.Node `yaml:",node"`
	As   string         `yaml:"as,required"`
	With string         `yaml:"with,required"`
	Over string         `yaml:"over"`
	Key  string         `yaml:"key"`
	// Prefix stands before the digest: sha256=.
	Prefix string `yaml:"prefix"`
}

// signature is how a digest is made: HMAC (RFC 2104) with one of the hashes that
// old servers sign with, all of which are sound in it.
type signature struct {
	as     string // the parameter or header that carries it
	with   string
	over   string
	key    string
	hash   func() hash.Hash
	encode func([]byte) string
	prefix string // before the digest in a header: sha256=
}

var (
	signHashes = map[string]func() hash.Hash{"sha256": sha256.New, "sha512": sha512.New, "sha1": sha1.New}
	signForms  = map[string]func([]byte) string{"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString, "base64url": base64.RawURLEncoding.EncodeToString}
)

// The keys that can sign. The client secret must be kept itself, not as a hash.
const (
	clientSecret  = "client secret"
	webhookSecret = "webhook secret"
)

// signature compiles a digest over one thing, with one of these keys; the first
// is the usual one.
func (c *compiler) signature(s *signSpec, over string, keys ...string) *signature {
	g := &signature{as: s.As, with: s.With, over: cmp.Or(s.Over, over), key: cmp.Or(s.Key, keys[0]), prefix: s.Prefix}
	hashName, form, _ := strings.Cut(s.With, " ")
	g.hash, g.encode = signHashes[hashName], signForms[form]
	if g.hash == nil || g.encode == nil {
		c.reportKey(s.Node, "with", "%q is no digest; write one of %s, then %s, as in sha256 hex", s.With, words(signHashes), words(signForms))
	}
	if g.over != over {
		c.reportKey(s.Node, "over", "%q cannot be signed here; write %s", g.over, over)
	}
	if !slices.Contains(keys, g.key) {
		c.reportKey(s.Node, "key", "unknown key %q; known: %s", g.key, strings.Join(keys, ", "))
	}
	if headerText(s.Prefix) != s.Prefix {
		c.reportKey(s.Node, "prefix", "%q cannot stand in a header", s.Prefix)
	}
	if !isToken(s.As) {
		c.reportKey(s.Node, "as", "%q is no name", s.As)
	}
	return g
}

func words[T any](of map[string]T) string { return strings.Join(slices.Sorted(maps.Keys(of)), ", ") }

func (g *signature) digest(key postern.Secret, over string) string {
	h := hmac.New(g.hash, []byte(key))
	h.Write([]byte(over))
	return g.prefix + g.encode(h.Sum(nil))
}

// signed adds the digest of a URL's query to it: over all parameters, the
// redirect URL's own too, as they stand, sorted by name.
func (g *signature) signed(to string, key postern.Secret) string {
	if g == nil || key == "" {
		return to
	}
	_, query, _ := strings.Cut(to, "?")
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool { return pair == "" })
	slices.SortStableFunc(pairs, func(a, b string) int {
		nameA, _, _ := strings.Cut(a, "=")
		nameB, _, _ := strings.Cut(b, "=")
		return cmp.Compare(nameA, nameB)
	})
	digest := g.digest(key, strings.Join(pairs, "&"))
	return string(appendEscaped(append(appendEscaped(append([]byte(to), '&'), g.as), '='), digest))
}

func (g *signature) text() string {
	if g == nil {
		return ""
	}
	prefix := ""
	if g.prefix != "" {
		prefix = quoted(g.prefix)
	}
	return "{" + pairs("as", quoted(g.as), "with", quoted(g.with), "over", quoted(g.over), "key", quoted(g.key), "prefix", prefix) + "}"
}
