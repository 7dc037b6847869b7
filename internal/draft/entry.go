package draft

import (
	"slices"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

// synonyms are what catalogues of OAuth servers call the answers.
var synonyms = map[string]string{
	"name": "name", "slug": "name",
	"authorize": "authorize", "authorizeurl": "authorize", "authorizationurl": "authorize", "authorizationendpoint": "authorize", "authurl": "authorize",
	"token": "token", "tokenurl": "token", "accessurl": "token", "accesstokenurl": "token", "tokenendpoint": "token",
	"refresh": "refresh", "refreshurl": "refresh", "refreshtokenurl": "refresh",
	"revoke": "revoke", "revokeurl": "revoke", "revocationurl": "revoke", "revocationendpoint": "revoke",
	"scopeseparator": "scope-separator", "scopedelimiter": "scope-separator",
	"clientauth": "client-auth", "clientauthentication": "client-auth", "tokenrequestauthmethod": "client-auth", "tokenendpointauthmethod": "client-auth",
	"body": "body", "bodyformat": "body", "bodyencoding": "body", "tokenplace": "token-place", "tokenplacement": "token-place",
	"level":   "level",
	"members": "members", "extramembers": "members", "extra": "members", "tokenresponsemetadata": "members",
}

// words are what catalogues call the values.
var words = map[string]map[string]string{
	"client-auth": {"client_secret_basic": "basic", "header": "basic", "client_secret_post": "body", "post": "body", "request-body": "body", "custom": "either"},
	"body":        {"application/json": "json", "application/x-www-form-urlencoded": "form"},
	"token-place": {"bearer": "Bearer"},
	"revoke":      {"": "none"},
}

func plain(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(key))
}

// ReadEntry reads the answers from a file: a mapping with the questions' keys,
// or an entry of a catalogue, which may stand under its name.
func ReadEntry(file string, data []byte) (*Answers, error) {
	n, problems := yamlfile.Read(file, data)
	if len(problems) > 0 {
		return nil, problems
	}
	a := &Answers{}
	if len(n.Members) == 1 && n.Members[0].Value.Kind == yamlfile.Mapping {
		a.Name = n.Members[0].Key
		n = n.Members[0].Value
	}
	if n.Kind != yamlfile.Mapping {
		return nil, yamlfile.Problems{n.Problem("this is no entry; write keys such as authorize: https://login.example.com/oauth/authorize")}
	}
	for _, m := range n.Members {
		problems = append(problems, a.take(m)...)
	}
	return a, problems.Err()
}

func (a *Answers) take(m yamlfile.Member) yamlfile.Problems {
	key := synonyms[plain(m.Key)]
	if key == "members" {
		return a.takeMembers(m.Value)
	}
	i := slices.IndexFunc(Questions, func(q Question) bool { return q.Key == key })
	if i < 0 {
		if printable.MatchString(m.Key) {
			a.Ignored = append(a.Ignored, m.Key)
		}
		return nil
	}
	if m.Value.Kind != yamlfile.Scalar {
		return yamlfile.Problems{m.Value.Problem("%s is one word or one address", m.Key)}
	}
	value := m.Value.Text
	if word, known := words[key][strings.ToLower(value)]; known {
		value = word
	}
	switch at := Questions[i].Of(a); {
	case *at == "":
		*at = value
	case key != "name": // the key of a catalogue's entry is a better one
		return yamlfile.Problems{m.Value.Problem("%s says %s a second time", m.Key, key)}
	}
	return nil
}

// takeMembers reads a list of names, or a mapping of names to values.
func (a *Answers) takeMembers(n *yamlfile.Node) yamlfile.Problems {
	for _, m := range n.Members {
		if m.Value.Kind != yamlfile.Scalar {
			return yamlfile.Problems{m.Value.Problem("the member %s is text, or one of the language's values, as in $account.id", m.Key)}
		}
		a.Members = append(a.Members, m.Key+"="+m.Value.Text)
	}
	for _, item := range n.Items {
		if item.Kind != yamlfile.Scalar {
			return yamlfile.Problems{item.Problem("a member is a name, or NAME=VALUE")}
		}
		a.Members = append(a.Members, item.Text)
	}
	if n.Kind == yamlfile.Scalar {
		return yamlfile.Problems{n.Problem("members are a list, or a mapping of names to values")}
	}
	return nil
}
