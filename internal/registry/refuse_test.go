package registry_test

import (
	"errors"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/yamlfile"
)

// TestEveryMistakeIsToldWithItsPlace: one file each, every finding in order.
// They depend on no engine, so one is enough; see the others in this file.
func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	w := newWorld(t, engines.SQLite(t))
	for _, c := range []struct{ text, want string }{
		// Form.
		{"acounts: []", `a.yaml:1:1: unknown key "acounts"; did you mean "accounts"?`},
		{"accounts:\n  - {name: A, nam: B}", `a.yaml:2:15: unknown key "nam" in accounts[0]; did you mean "name"?`},
		{"accounts: []\naccounts: []", `a.yaml:2:1: duplicate key "accounts"; it is already in line 1`},
		{"accounts: [3]", `a.yaml:1:12: accounts[0]: this is a number; it must be a mapping`},
		{"scopes: [{description: x}]", `a.yaml:1:11: the key "name" is missing in scopes[0]`},
		{"partners: [{name: P, apps: [{name: X, public: maybe}]}]", `a.yaml:1:47: partners[0].apps[0].public: this is text; it must be true or false`},
		// Names and texts (LC-09).
		{`accounts: [{name: "A\u202EB"}]`, `a.yaml:1:19: accounts[0].name: holds the character U+202E, which a reader cannot see; remove it`},
		{`accounts: [{name: ""}]`, `a.yaml:1:19: accounts[0].name: is empty; write a name`},
		{`scopes: [{name: a, description: "x\u0007"}]`, `a.yaml:1:33: scopes[0].description: holds the character U+0007, which a reader cannot see; remove it`},
		{`partners: [{name: "P\u200d"}]`, `a.yaml:1:19: partners[0].name: holds the character U+200D, which a reader cannot see; remove it`},
		{"partners: [{name: P, apps: [{name: " + strings.Repeat("n", 65) + "}]}]", `a.yaml:1:36: partners[0].apps[0].name: has 65 characters; at most 64 are allowed`},
		{"accounts: [{}]", `a.yaml:1:12: accounts[0].name: is missing; give a name, or the id of what is there already`},
		{"accounts: [{id: a1}]", `a.yaml:1:13: accounts[0].name: is missing; no account has this id yet, and a new one needs a name`},
		{"accounts: [{id: a b, name: A}]", `a.yaml:1:17: accounts[0].id: must be 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -`},
		{"accounts: [{name: A, handle: a b}]", `a.yaml:1:30: accounts[0].handle: must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, with a letter or digit at both ends`},
		{"accounts: [{name: A, handle: x}, {name: B, handle: X}]", "*is the handle of another account"},
		{"accounts: [{name: A, attributes: {a-b: c}}]", `a.yaml:1:40: accounts[0].attributes.a-b: is no name of an attribute: use 1 to 64 of the characters A-Z a-z 0-9 _`},
		// Users.
		{"accounts: [{name: A, users: [{email: ada}]}]", `a.yaml:1:38: accounts[0].users[0].email: is not an e-mail address; write NAME@HOST`},
		{"accounts: [{name: A, users: [{email: a@b, role: big boss}]}]", `a.yaml:1:49: accounts[0].users[0].role: holds a space; a role is one word`},
		{"accounts: [{name: A, users: [{email: a@b, password: short}]}]", `a.yaml:1:53: accounts[0].users[0].password: That password is too short: choose one of at least 8 characters.`},
		{"accounts: [{name: A, users: [{email: a@b, password_hash: md5}]}]", `a.yaml:1:58: accounts[0].users[0].password_hash: The password hash cannot be used: it is neither argon2id ($argon2id$v=19$…) nor bcrypt ($2a$…, $2b$…, $2y$…).`},
		{"accounts: [{name: A, users: [{email: a@b, password: long enough, password_hash: x}]}]", "*stands beside password; give one of the two"},
		{"accounts: [{name: A, users: [{email: a@b, nickname: Ada}, {email: c@d, nickname: ＡＤＡ}]}]",
			`a.yaml:1:82: accounts[0].users[1].nickname: is also declared for another user at a.yaml:1:53; nicknames differ in more than case and width`},
		{"accounts: [{name: A, users: [{email: a@b, id: u1}, {email: c@d, id: u1}]}]", "*is or was another user's"},
		{"accounts:\n- {name: A, users: [{email: a@b, password: long enough 1}]}\n- {name: B, users: [{email: A@B, password: long enough 2}]}",
			`a.yaml:3:44: accounts[1].users[0].password: something else is declared at a.yaml:2:44`},
		{"accounts: [{name: A, users: [{email: a@b, role: x}, {email: a@b, role: y}]}]", `a.yaml:1:72: accounts[0].users[1].role: something else is declared at a.yaml:1:49`},
		// Partners.
		{"partners: [{name: P, members: [{email: a@b, role: boss}]}]", `a.yaml:1:51: partners[0].members[0].role: must be one of owner, developer, viewer`},
		{"operators: [{email: a@b, role: owner}]", `a.yaml:1:32: operators[0].role: operators have no roles; remove the key`},
		{"partners: [{name: P, apps: [{name: X, client_id: x}]}, {name: Q, apps: [{name: X, client_id: x}]}]", "*two partners declare the app x; the other one is at a.yaml:1:30"},
		// APIs, events, scopes.
		{"apis: [{id: a, secret: short}]", `a.yaml:1:24: apis[0].secret: has 5 characters; a secret needs 20 at least`},
		{"apis: [{id: x, name: A}]\npartners: [{name: P, apps: [{name: X, client_id: x}]}]", `a.yaml:1:13: apis[0].id: is the client_id of an app; an API and an app cannot share one`},
		{"scopes: [{name: a b, description: x}]", `a.yaml:1:17: scopes[0].name: must be 1 to 64 of the characters A-Z a-z 0-9 . _ : / -`},
		{"scopes: [{name: a}]", `a.yaml:1:11: scopes[0].description: is missing; people read it when they are asked to allow this`},
		{"events: [{type: connection.created}]", `a.yaml:1:17: events[0].type: begins with connection., as only the events of connections do; choose another word`},
		{"events: [{type: a.b, scope: c}]", `a.yaml:1:29: events[0].scope: "c" is not in the catalogue (the key scopes)`},
	} {
		if some, contains := strings.CutPrefix(c.want, "*"); contains {
			if _, err := w.try(c.text); err == nil || !strings.Contains(err.Error(), some) {
				w.Errorf("apply said %v, want %q, of\n%s", err, some, c.text)
			}
			continue
		}
		w.refused(c.text, strings.Split(c.want, "\n")...)
	}
}

// publicKey is RFC 7515's example of one (A.3).
const publicKey = `{kty: EC, crv: P-256, kid: k1, use: sig, x: f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU, y: x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0}`

// TestEveryMistakeInAnAppIsTold: what is wrong with one app of one partner; a
// finding's place is that of the key that it names.
func TestEveryMistakeInAnAppIsTold(t *testing.T) {
	w := newWorld(t, engines.SQLite(t))
	for _, c := range []struct {
		app  string
		want []string
	}{
		{`{name: X, client_id: a/b}`, []string{`client_id: must be 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -`}},
		{`{client_id: x}`, []string{`name: is missing; no app has this client_id yet, and a new one needs a name`}},
		{`{name: X, dialect: opne}`, []string{`dialect: no dialect of this name is mounted; did you mean "open"?`}},
		{`{name: X, also: [open]}`, []string{`also[0]: is the app's dialect already; remove it`}},
		{`{name: X, also: [nothing]}`, []string{`also[0]: no dialect of this name is mounted; known here: old, open, other, signs, some, strict`}},
		{`{name: X, level: team}`, []string{`level: must be account or user`}},
		{`{name: X, grants: [password]}`, []string{`grants[0]: must be one of authorization_code, refresh_token, client_credentials`}},
		{`{name: X, scopes: [nope]}`, []string{`scopes[0]: "nope" is not in the catalogue (the key scopes)`}},
		{`{name: X, scopes: ["a,b"]}`, []string{`scopes[0]: must be 1 to 64 of the characters A-Z a-z 0-9 . _ : / -`}},
		{`{name: X, default_scopes: [a]}`, []string{`default_scopes[0]: "a" is not among the app's scopes; add it there, or remove it here`}},
		{`{name: X, connect_roles: ["a b"]}`, []string{`connect_roles[0]: holds a space; a role is one word`}},
		{`{name: X, url: "javascript:alert(1)"}`, []string{`url: must begin with https://`}},
		{`{name: X, url: "http://p.test"}`, []string{`url: must begin with https://`}},
		{`{name: X, logo_url: "https://169.254.169.254/latest"}`, []string{`logo_url: leads to a host that is not on the public internet; use a public host name`}},
		{`{name: X, webhook_url: "https://p.test:6379/"}`, []string{`webhook_url: has the port 6379, where no web server belongs; use another`}},
		{`{name: X, webhook_secret: whsec_short}`, []string{`webhook_secret: must be whsec_ and the base64 of 24 to 64 bytes`}},
		{`{name: X, redirect_urls: ["https://p.test/cb", "http://p.test/cb", "https://p.test/cb", "https://p.test/#"]}`, []string{"redirect_urls[1]: must begin with https://", "redirect_urls[2]: stands in this list twice; remove one", "redirect_urls[3]: has a fragment (#); remove it"}},
		{`{name: X, redirect_urls: ["http://127.0.0.1/cb"]}`, []string{`redirect_urls[0]: leads to a host that is not on the public internet; use a public host name`}},
		{`{name: X, also: [some], public: true, redirect_urls: ["http://127.0.0.1/cb"]}`, []string{`redirect_urls[0]: leads to a host that is not on the public internet; use a public host name`}},
		{`{name: X, public: true}`, []string{`redirect_urls: is missing; a public app needs one at least`}},
		{`{name: X, public: true, redirect_urls: [https://p.test], client_secret: aaaaaaaaaaaaaaaaaaaaaaaa}`, []string{`client_secret: stands on a public app, which has no secret; remove it, or public`}},
		{`{name: X, public: true, redirect_urls: [https://p.test], grants: [client_credentials]}`, []string{`grants: has client_credentials, which a public app cannot use: it has no secret (RFC 6749 §4.4)`}},
		{`{name: X, dialect: some}`, []string{`redirect_urls: is missing; an app of the dialect some needs one at least`}},
		{`{name: X, dialect: strict, url: https://p.test, redirect_urls: [https://p.test/1, https://p.test/2]}`, []string{"description: is missing; an app of the dialect strict needs one", "redirect_urls: has 2 addresses; an app of the dialect strict has exactly one"}},
		{`{name: X, also: [strict]}`, []string{"redirect_urls: has 0 addresses; an app of the dialect strict has exactly one"}},
		{`{name: X, client_secret: short}`, []string{`client_secret: has 5 characters; a secret needs 20 at least (insecure_weak_imported_secrets in the dialect allows less)`}},
		{`{name: X, client_secret: ""}`, []string{`client_secret: is empty; leave the key out to have one made`}},
		{`{name: X, dialect: old, also: [open], client_secret: short}`, []string{`client_secret: has 5 characters; a secret needs 20 at least (insecure_weak_imported_secrets in the dialect allows less)`}},
		{`{name: X, client_secret_hash: "sha256:12"}`, []string{`client_secret_hash: must be sha256: and the 64 hex digits of the secret's SHA-256`}},
		{`{name: X, client_secret: aaaaaaaaaaaaaaaaaaaaaaaa, client_secrets: []}`, []string{`client_secrets: stands beside client_secret; declare the secrets in one way`}},
		{`{name: X, client_secrets: []}`, []string{`client_secrets: is empty; an app that is not public needs a secret, or jwks`}},
		{`{name: X, client_secrets: [{secret: aaaaaaaaaaaaaaaaaaaaaaaa}, {secret: bbbbbbbbbbbbbbbbbbbbbbbb}, {secret: cccccccccccccccccccccccc}]}`, []string{`client_secrets: has 3 secrets that are valid; at most 2 can be at a time`}},
		{`{name: X, client_secrets: [{name: a, secret: short, expires_at: soon}, {name: b}]}`, []string{"client_secrets[0].secret: has 5 characters; a secret needs 20 at least (insecure_weak_imported_secrets in the dialect allows less)",
			"client_secrets[0].expires_at: must be a time such as 2027-01-31T12:00:00Z, or a day",
			"client_secrets[1].secret: give one of secret and secret_hash"}},
		// Keys of an app's own.
		{`{name: X, dialect: some, redirect_urls: [https://p.test], jwks: {keys: [` + publicKey + `]}}`, []string{"jwks: is of no use: no dialect of this app has a place for client_assertion"}},
		{`{name: X, public: true, redirect_urls: [https://p.test], jwks: {keys: [` + publicKey + `]}}`, []string{"jwks: stands on a public app, which proves itself with nothing; remove it, or public"}},
		{`{name: X, jwks: {keys: [{kty: EC, crv: P-256, x: AA, y: AA}]}}`, []string{"jwks.keys[0]: is no public key that can be read; copy it whole, with kty and its members as base64url"}},
		{`{name: X, jwks: {keys: [` + publicKey + `, {kty: RSA, e: AQAB, n: 4GTDjHd1wT8bMBjF4HqlRV5sdC0dl7UNxVxZXGUp}]}}`, []string{"jwks.keys[1].n: has 240 bits; an RSA key has 2048 to 8192"}},
		{`{name: X, jwks: {keys: [{kty: OKP, crv: Ed25519, x: AA, d: AA}]}}`, []string{"jwks.keys[0].d: is part of a private key, which only the app may know; register the public key alone, of a new key pair"}},
		{`{name: X, jwks: https://p.test/keys}`, []string{"jwks: is no key set; write {keys: [{kty: EC, crv: P-256, x: …, y: …, kid: …}]} with at least one public key"}},
	} {
		_, err := w.try("partners: [{name: P, apps: [" + c.app + "]}]")
		problems, _ := errors.AsType[yamlfile.Problems](err)
		var got []string
		for _, p := range problems {
			got = append(got, strings.TrimPrefix(p.Msg, "partners[0].apps[0]."))
		}
		if a, b := strings.Join(got, "\n"), strings.Join(c.want, "\n"); a != b {
			t.Errorf("of %s apply found\n%s\nwant\n%s", c.app, a, b)
		}
	}
}
