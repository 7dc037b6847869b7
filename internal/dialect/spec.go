package dialect

import (
	"time"

	"postern.dev/postern/internal/yamlfile"
)

// spec is a dialect's file as it is written, before it means anything. Keys that
// are not here are errors.
type spec struct {
	Node     *yamlfile.Node `yaml:",node"`
	Language int            `yaml:"language,required"`
	Name     string         `yaml:"name,required"`
	Extends  string         `yaml:"extends"`

	Base   *string                    `yaml:"base"`
	Hosts  hostsSpec                  `yaml:"hosts"`
	Tenant string                     `yaml:"tenant"`
	Level  string                     `yaml:"level"`
	IDs    idsSpec                    `yaml:"ids"`
	Texts  yamlfile.Ordered[string]   `yaml:"texts"`
	Tokens tokensSpec                 `yaml:"tokens"`
	Scopes scopesSpec                 `yaml:"scopes"`
	PKCE   string                     `yaml:"pkce"`
	Verify string                     `yaml:"verifier"`
	Ask    string                     `yaml:"consent"`
	Grants yamlfile.Ordered[string]   `yaml:"grants"`
	Keep   yamlfile.Ordered[readSpec] `yaml:"keep"`
	Apps   appsSpec                   `yaml:"apps"`

	Authorize  *endpointSpec               `yaml:"authorize"`
	Token      *endpointSpec               `yaml:"token"`
	Refresh    *endpointSpec               `yaml:"refresh"`
	API        apiSpec                     `yaml:"api"`
	Whoami     blocksSpec                  `yaml:"whoami"`
	Introspect block[endpointSpec]         `yaml:"introspect"`
	Revoke     blocksSpec                  `yaml:"revoke"`
	Metadata   block[endpointSpec]         `yaml:"metadata"`
	JWKS       block[endpointSpec]         `yaml:"jwks"`
	CORS       *bool                       `yaml:"cors"`
	Errors     errorsSpec                  `yaml:"errors"`
	EventData  *yamlfile.Node              `yaml:"event_data"`
	Events     yamlfile.Ordered[eventSpec] `yaml:"events"`

	SecretInURL  *because `yaml:"insecure_secret_in_url"`
	TokenInURL   *because `yaml:"insecure_token_in_url"`
	GetToken     *because `yaml:"insecure_get_token_request"`
	WeakImported *because `yaml:"insecure_weak_imported_secrets"`
	RefreshBare  *because `yaml:"insecure_refresh_without_secret"`
	Recoverable  *because `yaml:"insecure_recoverable_client_secret"`
}

type because struct {
	Because string `yaml:"because,required"`
}

type hostsSpec struct {
	Login string `yaml:"login"`
	API   string `yaml:"api"`
}

type idsSpec struct {
	Account string `yaml:"account"`
}

type tokensSpec struct {
	Code    codeSpec           `yaml:"code"`
	Access  accessSpec         `yaml:"access"`
	Refresh block[refreshSpec] `yaml:"refresh"`
	Second  *secondSpec        `yaml:"second"`
	AtOnce  int                `yaml:"at_once"`
	When    []whenSpec         `yaml:"when"`
}

// secondSpec is a second token of one code, which acts as the approver.
type secondSpec struct {
	Node    *yamlfile.Node `yaml:",node"`
	AskedBy string         `yaml:"asked_by,required"`
	Level   string         `yaml:"level"`
	Access  accessSpec     `yaml:"access"`
}

type codeSpec struct {
	Node     *yamlfile.Node `yaml:",node"`
	Form     string         `yaml:"form"`
	Prefix   string         `yaml:"prefix"`
	Checksum *bool          `yaml:"checksum"`
	Expires  time.Duration  `yaml:"expires"`
}

type accessSpec struct {
	Node     *yamlfile.Node `yaml:",node"`
	Form     string         `yaml:"form"`
	Prefix   string         `yaml:"prefix"`
	Checksum *bool          `yaml:"checksum"`
	Expires  *yamlfile.Life `yaml:"expires"`
	Absolute *time.Duration `yaml:"absolute"`
	Imported string         `yaml:"imported"`
	Format   string         `yaml:"format"`
}

type refreshSpec struct {
	Node     *yamlfile.Node
	Form     string         `yaml:"form"`
	Prefix   string         `yaml:"prefix"`
	Checksum *bool          `yaml:"checksum"`
	Rotate   string         `yaml:"rotate"`
	Idle     *time.Duration `yaml:"idle"`
	Absolute *time.Duration `yaml:"absolute"`
	Window   *time.Duration `yaml:"window"`
}

// DecodeYAML reads the keys, and keeps the node even where it is no mapping.
func (s *refreshSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	type keys refreshSpec
	problems := n.Decode((*keys)(s))
	s.Node = n
	return problems
}

type apiSpec struct {
	Node      *yamlfile.Node             `yaml:",node"`
	Read      yamlfile.Ordered[readSpec] `yaml:"read"`
	Challenge *string                    `yaml:"challenge"`
	Errors    errorsSpec                 `yaml:"errors"`
}

// endpointSpec is any endpoint's block; which keys fit which endpoint is checked
// against keysOf.
type endpointSpec struct {
	Node     *yamlfile.Node
	At       yamlfile.OneOrMany[string] `yaml:"at"`
	Accepts  acceptsSpec                `yaml:"accepts"`
	Read     yamlfile.Ordered[readSpec] `yaml:"read"`
	Absent   *yamlfile.Node             `yaml:"absent"`
	Map      *yamlfile.Node             `yaml:"map"`
	Require  yamlfile.OneOrMany[string] `yaml:"require_headers"`
	Callback callbackSpec               `yaml:"callback"`
	Answer   *yamlfile.Node             `yaml:"answer"`
	Errors   errorsSpec                 `yaml:"errors"`
	By       string                     `yaml:"by"`
	Ends     string                     `yaml:"ends"`
	Unknown  string                     `yaml:"unknown"`
}

// DecodeYAML reads the keys, and keeps the node even where it is no mapping.
func (s *endpointSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	type keys endpointSpec
	problems := n.Decode((*keys)(s))
	s.Node = n
	return problems
}

type callbackSpec struct {
	Allowed *yamlfile.Node `yaml:"allowed"`
	Failed  *yamlfile.Node `yaml:"failed"`
	Sign    *signSpec      `yaml:"sign"`
}

// keysOf are the keys of each endpoint's block.
var keysOf = map[string][]string{
	"authorize":  {"at", "read", "absent", "map", "require_headers", "callback", "errors"},
	"token":      {"at", "accepts", "read", "absent", "map", "require_headers", "answer", "errors"},
	"refresh":    {"at", "accepts", "read", "absent", "map", "require_headers", "answer", "errors"},
	"whoami":     {"at", "read", "require_headers", "answer", "errors"},
	"introspect": {"at", "accepts", "read", "absent", "require_headers", "unknown", "answer", "errors"},
	"revoke":     {"at", "accepts", "read", "absent", "require_headers", "by", "ends", "unknown", "answer", "errors"},
	"metadata":   {"at"},
	"jwks":       {"at"},
}

// block is a part of a file that may also be "none".
type block[T any] struct {
	Given bool
	None  bool
	Of    T
	At    *yamlfile.Node
}

// DecodeYAML reads none, or the block.
func (b *block[T]) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	b.Given, b.At = true, n
	var problems yamlfile.Problems
	b.None, problems = orNone(n, &b.Of)
	return problems
}

// orNone reads the word none, or what else may stand in its place.
func orNone(n *yamlfile.Node, of any) (none bool, problems yamlfile.Problems) {
	if n.Kind == yamlfile.Scalar && n.Text == "none" {
		return true, nil
	}
	problems = n.Decode(of)
	if n.Kind == yamlfile.Scalar {
		problems = yamlfile.Problems{n.Problem("%q is not known here; write none, or a mapping", n.Text)}
	}
	return false, problems
}

// blocksSpec is a list of blocks, one of them, or none.
type blocksSpec struct {
	Given bool
	Of    yamlfile.OneOrMany[endpointSpec]
}

// DecodeYAML reads the list.
func (s *blocksSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Given = true
	_, problems := orNone(n, &s.Of)
	return problems
}

// scopesSpec is "none" or the syntax of scopes.
type scopesSpec struct {
	Node *yamlfile.Node
	None bool
	Of   struct {
		Split  yamlfile.OneOrMany[string] `yaml:"split"`
		Join   *string                    `yaml:"join"`
		Absent string                     `yaml:"absent"`
	}
}

// DecodeYAML reads none, or the syntax.
func (s *scopesSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Node = n
	var problems yamlfile.Problems
	s.None, problems = orNone(n, &s.Of)
	return problems
}

// acceptsSpec is a list of encodings, or a table of the media types of each.
type acceptsSpec struct {
	Node  *yamlfile.Node
	Table yamlfile.Ordered[yamlfile.OneOrMany[string]]
}

// DecodeYAML reads [json, form] or {json: [application/json, none], …}.
func (s *acceptsSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Node = n
	if n.Kind == yamlfile.Mapping {
		return n.Decode(&s.Table)
	}
	var names yamlfile.OneOrMany[string]
	problems := n.Decode(&names)
	for _, name := range names {
		s.Table = append(s.Table, yamlfile.Entry[yamlfile.OneOrMany[string]]{Key: name, At: n.Position, Value: usualTypes[name], Node: n})
	}
	return problems
}

// usualTypes are the media types of an encoding whose file does not list them.
var usualTypes = map[string]yamlfile.OneOrMany[string]{
	"json": {"application/json"},
	"form": {"application/x-www-form-urlencoded"},
}

// readSpec is where an input is found: a place, a list of alternatives, or
// {from: …, both: equal, map: {WIRE: MEANING}}.
type readSpec struct {
	Node *yamlfile.Node
	None bool
	Of   struct {
		From yamlfile.OneOrMany[string] `yaml:"from"`
		Both string                     `yaml:"both"`
		Is   string                     `yaml:"is"`
		Map  yamlfile.Ordered[string]   `yaml:"map"`
	}
}

// DecodeYAML reads any of the three.
func (s *readSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Node = n
	switch {
	case n.Kind == yamlfile.Mapping:
		return n.Decode(&s.Of)
	case n.Kind == yamlfile.Scalar && n.Text == "none":
		s.None = true
		return nil
	}
	return n.Decode(&s.Of.From)
}

// errorsSpec is an error table; status is one number, or one by kind.
type errorsSpec struct {
	Status statusSpec                      `yaml:"status"`
	Names  yamlfile.Ordered[yamlfile.Text] `yaml:"names"`
	Body   *yamlfile.Node                  `yaml:"body"`
}

type statusSpec struct {
	Node *yamlfile.Node
	One  int
	By   yamlfile.Ordered[int]
}

// DecodeYAML reads 200 or {invalid_token: 404}.
func (s *statusSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Node = n
	if n.Kind == yamlfile.Mapping {
		return n.Decode(&s.By)
	}
	return n.Decode(&s.One)
}
