package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// secretKeys are the three ways to declare an app's secrets.
var secretKeys = []string{"client_secret", "client_secret_hash", "client_secrets"}

// secrets brings the app's secrets to what is declared. One with public keys of
// its own needs none. What is declared as it
// was declared before changes nothing, even if a partner rotated the secret
// since: an old file must not bring back a secret that was given up.
func (a *appPlan) secrets() {
	said, single, given := a.declaredSecrets()
	defer a.keepRecoverable()
	switch {
	case a.row.Public:
		a.noSecrets(given)
	case len(given) > 0:
		a.putSecrets(said, single)
	case len(a.row.Secrets) == 0 && a.row.JWKS == "":
		secret, err := postern.ClientSecretForm.Mint(a.rules.Random)
		a.fail(err)
		a.clear[secret.Hash()] = secret
		a.replaceSecrets([]postern.AppSecret{{Name: firstSecret, Hash: secret.Hash(), Hint: hint(string(secret))}})
		a.c.Secrets = append(a.c.Secrets, MadeSecret{"client_secret", secret})
	}
}

// firstSecret is the name of a secret that was given none.
const firstSecret = "default"

func (a *appPlan) noSecrets(given []string) {
	for _, key := range given {
		a.report(a.d.problem(key, "stands on a public app, which has no secret; remove it, or public"))
	}
	if len(a.row.Secrets) > 0 {
		a.row.Secrets, a.row.DeclaredSecrets = nil, ""
		a.c.Keys = append(a.c.Keys, "client_secret")
	}
}

// declaredSecrets reads them, without ids. Single: it is one that the app must
// have, not a list that replaces.
func (a *appPlan) declaredSecrets() (said []postern.AppSecret, single bool, given []string) {
	for _, key := range secretKeys {
		if a.d.gives(key) {
			given = append(given, key)
		}
	}
	if len(given) > 1 {
		a.report(a.d.problem(given[1], "stands beside %s; declare the secrets in one way", given[0]))
		return nil, false, given
	}
	d := a.d
	switch {
	case d.ClientSecret != nil:
		s, problem := a.clearSecret(*d.ClientSecret)
		a.reportIf(problem, func() yamlfile.Problem { return d.problem("client_secret", "%s", problem) })
		return []postern.AppSecret{s}, true, given
	case d.ClientSecretHash != nil:
		hash, ok := readSecretHash(*d.ClientSecretHash)
		if !ok {
			a.report(d.problem("client_secret_hash", secretHashHelp))
		}
		return []postern.AppSecret{{Name: firstSecret, Hash: hash}}, true, given
	}
	return a.secretList(), false, given
}

func (a *appPlan) reportIf(problem string, at func() yamlfile.Problem) {
	if problem != "" {
		a.report(at())
	}
}

// clearSecret takes a secret as it is declared. It is used on all wires of the
// app, so each must allow it to be weak.
func (a *appPlan) clearSecret(text yamlfile.Text) (s postern.AppSecret, problem string) {
	weak := a.everyDialect(func(f DialectFacts) bool { return f.WeakSecrets })
	a.clear[postern.Secret(text).Hash()] = postern.Secret(text)
	return postern.AppSecret{Name: firstSecret, Hash: postern.Secret(text).Hash(), Hint: hint(string(text))}, aboutClientSecret(string(text), weak)
}

func (a *appPlan) secretList() (said []postern.AppSecret) {
	list := value(a.d.ClientSecrets)
	valid := 0
	for i := range list {
		if s, ok := a.listedSecret(&list[i]); ok {
			said = append(said, s)
			if s.ExpiresAt.IsZero() || s.ExpiresAt.After(a.now) {
				valid++
			}
		}
	}
	switch {
	case a.row.Public || a.d.ClientSecrets == nil:
	case valid > MostSecrets:
		a.report(a.d.problem("client_secrets", "has %d secrets that are valid; at most %d can be at a time", valid, MostSecrets))
	case len(list) == 0 && a.row.JWKS == "":
		a.report(a.d.problem("client_secrets", "is empty; an app that is not public needs a secret, or jwks"))
	}
	return said
}

func (a *appPlan) listedSecret(d *secretDecl) (s postern.AppSecret, ok bool) {
	if d.Node == nil { // no mapping, which has been said
		return s, false
	}
	count := len(a.problems)
	w := where{[]*yamlfile.Node{d.Node}}
	switch {
	case (d.Secret == nil) == (d.SecretHash == nil):
		a.report(w.problem("secret", "give one of secret and secret_hash"))
	case d.Secret != nil:
		var problem string
		s, problem = a.clearSecret(*d.Secret)
		a.reportIf(problem, func() yamlfile.Problem { return w.problem("secret", "%s", problem) })
	default:
		var good bool
		if s.Hash, good = readSecretHash(*d.SecretHash); !good {
			a.report(w.problem("secret_hash", secretHashHelp))
		}
	}
	s.Name = firstSecret
	if d.Name != nil {
		s.Name = *d.Name
		a.reportIf(aboutName(s.Name), func() yamlfile.Problem { return w.problem("name", "%s", aboutName(s.Name)) })
	}
	if d.ExpiresAt != nil {
		var good bool
		if s.ExpiresAt, good = readExpiry(*d.ExpiresAt); !good {
			a.report(w.problem("expires_at", "must be a time such as 2027-01-31T12:00:00Z, or a day"))
		}
	}
	return s, len(a.problems) == count
}

func (a *appPlan) putSecrets(said []postern.AppSecret, single bool) {
	digest := digestOf(said)
	if digest == a.row.DeclaredSecrets {
		return
	}
	a.row.DeclaredSecrets = digest
	if single && a.holds(said[0].Hash) {
		return
	}
	a.replaceSecrets(said)
}

// replaceSecrets makes these the app's secrets. One that it has already stays
// the row that it is.
func (a *appPlan) replaceSecrets(said []postern.AppSecret) {
	next := make([]postern.AppSecret, 0, len(said))
	for _, s := range said {
		s.CreatedAt = a.now
		at := slices.IndexFunc(a.row.Secrets, func(old postern.AppSecret) bool { return old.Hash.Equal(s.Hash) })
		if at >= 0 {
			old := a.row.Secrets[at]
			old.Name, old.ExpiresAt = s.Name, s.ExpiresAt
			s = old
		} else {
			s.ID = a.newID("sec_")
		}
		next = append(next, s)
	}
	if !slices.EqualFunc(next, a.row.Secrets, sameSecret) {
		a.row.Secrets = next
		a.c.Keys = append(a.c.Keys, "client_secret")
	}
}

func sameSecret(x, y postern.AppSecret) bool {
	return x.ID == y.ID && x.Name == y.Name && x.Hash.Equal(y.Hash) && x.ExpiresAt.Equal(y.ExpiresAt)
}

// digestOf tells declarations of secrets apart. It is made of hashes, so it
// tells nothing else.
func digestOf(said []postern.AppSecret) string {
	lines := make([]string, len(said))
	for i, s := range said {
		lines[i] = fmt.Sprintf("%x %d %q\n", s.Hash[:], s.ExpiresAt.Unix(), s.Name)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}

// webhookSecret is made when there is a URL to sign for and none is there yet.
func (a *appPlan) webhookSecret() {
	const table, column = "apps", "webhook_secret"
	var secret postern.Secret
	switch {
	case a.d.WebhookSecret != nil:
		secret = postern.Secret(*a.d.WebhookSecret)
		if len(a.row.WebhookSecret) > 0 {
			old, err := a.rules.Sealer.Open(table, a.row.ID, column, a.row.WebhookSecret)
			if a.fail(err); string(old) == string(secret) {
				return
			}
		}
		a.c.Keys = append(a.c.Keys, column)
	case a.row.WebhookURL != "" && len(a.row.WebhookSecret) == 0:
		var err error
		secret, err = mintWebhookSecret(a.rules.Random)
		a.fail(err)
		a.c.Secrets = append(a.c.Secrets, MadeSecret{column, secret})
		a.c.Keys = append(a.c.Keys, column)
	default:
		return
	}
	sealed, err := a.rules.Sealer.Seal(table, a.row.ID, column, []byte(secret))
	a.fail(err)
	a.row.WebhookSecret = sealed
}

// holds reports whether the app has a valid secret of this hash.
func (a *appPlan) holds(hash postern.Hash) bool {
	return slices.ContainsFunc(a.row.Secrets, func(s postern.AppSecret) bool {
		return s.Hash.Equal(hash) && (s.ExpiresAt.IsZero() || s.ExpiresAt.After(a.now))
	})
}
