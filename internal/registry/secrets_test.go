package registry_test

import (
	"strings"
	"sync"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/registry"
)

const (
	one   = "first-secret-of-the-app"
	two   = "second-secret-of-the-app"
	three = "third-secret-of-the-app"
)

func secrets(keys string) string {
	return "partners: [{name: P, apps: [{name: X, client_id: x, " + keys + "}]}]"
}

func (w *world) let(in string, want ...string) {
	w.Helper()
	var got []string
	for _, secret := range []string{one, two, three} {
		if w.may("x", secret) {
			got = append(got, secret)
		}
	}
	if a, b := strings.Join(got, " "), strings.Join(want, " "); a != b {
		w.Errorf("%s: let in with %q, want %q", in, a, b)
	}
}

func TestADeclaredSecretReplacesAnother(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secret: " + one))
		w.let("at first", one)
		w.did(secrets("client_secret: "+two), "unchanged partner P", "changed app X: client_secret")
		w.let("after another was declared", two)
		hash := postern.Secret(two).Hash()
		w.did(secrets("client_secret_hash: 'sha256:"+hex(hash[:])+"'"), "unchanged partner P", "unchanged app X")
		w.did(secrets("client_secrets: [{name: old, secret: "+two+", expires_at: 2999-01-01}, {name: new, secret: "+three+"}]"),
			"unchanged partner P", "changed app X: client_secret")
		w.let("during a rotation", two, three)
		w.did(secrets("client_secrets: [{name: new, secret: "+three+"}]"), "unchanged partner P", "changed app X: client_secret")
		w.let("after it", three)
		w.equal("the secret that stayed", w.one("SELECT name, hint FROM app_secrets"), "new|-app")
	})
}

func TestAnOldFileDoesNotBringBackASecretThatWasGivenUp(t *testing.T) { // PA-05
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secret: " + one))
		hash := postern.Secret(two).Hash() // the partner rotates
		w.run("UPDATE app_secrets SET hash = $1", hash[:])
		w.did(secrets("client_secret: "+one), "unchanged partner P", "unchanged app X")
		w.let("after the same file", two)
		w.did(secrets("client_secret: "+three), "unchanged partner P", "changed app X: client_secret")
		w.let("after another declaration", three)
	})
}

func TestADeclaredSecretThatIsThereLeavesTheOthers(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secrets: [{secret: " + one + "}, {secret: " + two + "}]"))
		w.did(secrets("client_secret: "+two), "unchanged partner P", "unchanged app X")
		w.let("after one of the two was declared", one, two)
	})
}

func TestAnExpiredSecretMakesRoom(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secrets: [{secret: " + one + ", expires_at: '2001-02-03T04:05:06+02:00'}, {secret: " + two + "}, {secret: " + three + "}]"))
		w.let("with one that expired", two, three)
	})
}

func TestAnAppBecomesPublicAndBack(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secret: " + one + ", redirect_urls: [https://p.test/cb]"))
		w.did(secrets("public: true"), "unchanged partner P", "changed app X: public, client_secret")
		w.equal("secrets", w.one("SELECT count(*) FROM app_secrets"), "0")
		result := w.did(secrets("public: false"), "unchanged partner P", "changed app X: public, client_secret")
		if !w.may("x", string(w.made(result, "client_secret"))) {
			w.Error("the secret that was made does not work")
		}
		w.apply(secrets("client_secret: " + one))
		w.let("after the first was declared again", one)
	})
}

func TestAPublicAppMayHaveALoopbackRedirect(t *testing.T) { // RFC 8252 §7.3, R21
	everywhere(t, func(w *world) {
		w.apply(secrets("public: true, redirect_urls: ['http://127.0.0.1/cb', 'http://[::1]/cb', 'http://localhost/cb']"))
		w.refused(secrets("public: false"),
			`a.yaml:1:30: partners[0].apps[0].redirect_urls: leads to a host that is not on the public internet; use a public host name`,
			`a.yaml:1:30: partners[0].apps[0].redirect_urls: leads to a host that is not on the public internet; use a public host name`,
			`a.yaml:1:30: partners[0].apps[0].redirect_urls: leads to a host that is not on the public internet; use a public host name`)
		w.rules.InsecureLoopback = true
		w.apply(secrets("public: false, webhook_url: 'http://127.0.0.1:9/hook'"))
	})
}

func TestAWebhookSecretIsChangedOnlyWhenItIsDeclaredAnew(t *testing.T) {
	everywhere(t, func(w *world) {
		hook := secrets("webhook_url: https://p.test/hook, webhook_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		w.apply(hook)
		before := w.dump()
		w.apply(hook)
		w.equal("the rows", w.dump(), before)
		w.did(secrets("webhook_secret: whsec_"+strings.Repeat("A", 84)+"AA=="), "unchanged partner P", "changed app X: webhook_secret")
		var sealed []byte
		w.ok(w.sql.QueryRow("SELECT webhook_secret FROM apps").Scan(&sealed))
		plain, err := newSealer(w.T).Open("apps", "x", "webhook_secret", sealed)
		w.ok(err)
		w.equal("the sealed secret", string(plain), "whsec_"+strings.Repeat("A", 84)+"AA==")
	})
}

func TestPeopleAreAskedAgainWhenAnAppLooksDifferent(t *testing.T) { // LC-08
	everywhere(t, func(w *world) {
		w.apply(secrets("redirect_urls: [https://p.test/cb]"))
		for _, keys := range []string{"name: Y", "description: d", "url: https://p.test", "logo_url: https://p.test/l.png", "redirect_urls: [https://p.test/2]"} {
			w.clock.Advance(1000000)
			w.apply("partners: [{name: P, apps: [{client_id: x, " + keys + "}]}]")
			w.equal("after "+keys, w.one("SELECT changed_at = $1 FROM apps", w.clock.Now().UnixMilli()), "1")
		}
		w.clock.Advance(1000000)
		w.apply("partners: [{name: P, apps: [{client_id: x, webhook_url: https://p.test/hook}]}]")
		w.equal("after webhook_url", w.one("SELECT changed_at = $1 FROM apps", w.clock.Now().UnixMilli()), "0")
	})
}

func people(keys string) string {
	return "accounts: [{name: A, users: [{email: ada@x.test, " + keys + "}]}]"
}

func TestADeclaredPasswordIsSetOnceAndNotAgain(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(people("password: correct horse"))
		w.equal("ada's password", w.one("SELECT password_hash = declared_password FROM users"), "1")
		mine, err := w.people.Rules.HashPassword("changed by ada herself")
		w.ok(err)
		w.run("UPDATE users SET password_hash = $1", mine)
		w.run("INSERT INTO sessions (hash, user_id, signed_in_at, last_seen_at, expires_at) SELECT $1, id, 1, 1, 9 FROM users", []byte("s"))
		w.did(people("password: correct horse"), "unchanged account A", "unchanged user ada@x.test")
		w.equal("ada's own password", w.one("SELECT password_hash FROM users"), mine)
		w.equal("sessions", w.one("SELECT count(*) FROM sessions"), "1")
		w.did(people("password: battery staple"), "unchanged account A", "changed user ada@x.test: password")
		ok, _, err := w.people.VerifyPassword(w.one("SELECT password_hash FROM users"), "battery staple")
		if w.ok(err); !ok {
			w.Error("the newly declared password is not set")
		}
		w.equal("sessions", w.one("SELECT count(*) FROM sessions"), "0")
		w.equal("the audit record", w.one("SELECT detail FROM audit WHERE action = 'user.changed'"), "password")
	})
}

func TestADeclaredPasswordHashIsTakenAsItIs(t *testing.T) {
	everywhere(t, func(w *world) {
		const bcrypt = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
		w.apply(people("password_hash: " + bcrypt))
		w.equal("the hash", w.one("SELECT password_hash FROM users"), bcrypt)
		w.run("UPDATE users SET password_hash = 'made stronger at sign-in'")
		w.did(people("password_hash: "+bcrypt), "unchanged account A", "unchanged user ada@x.test")
	})
}

func TestNicknames(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply("accounts: [{name: A, users: [{email: info@a.test}, {email: info@b.test}, {email: info@c.test}, {email: info@d.test}, {email: x@d.test, nickname: Info2}]}]")
		names := w.rows("SELECT nickname FROM users ORDER BY email")
		// info2 is declared, so it is nobody else's; the fourth gets a number of its own.
		if got := strings.Join(names[:2], " "); got != "info info3" || len(names[2]) != len("info")+10 || len(names[3]) != len("info")+10 || names[4] != "Info2" {
			w.Errorf("nicknames are %v", names)
		}
		w.did("accounts: [{name: A, users: [{email: info@a.test, nickname: first}]}]", "unchanged account A", "changed user info@a.test: nickname")
		w.refused("accounts: [{name: A, users: [{email: new@a.test, nickname: INFO}]}]",
			"a.yaml:1:60: accounts[0].users[0].nickname: is or was another user's, and partners know people by it; choose another")
		w.did("accounts: [{name: A, users: [{email: info@a.test, nickname: info}]}]", "unchanged account A", "changed user info@a.test: nickname")
		w.did("accounts: [{name: A, users: [{email: info@a.test}]}]", "unchanged account A", "unchanged user info@a.test")
	})
}

func TestAppliesAtOnceGiveOneOfEach(t *testing.T) { // I-77
	everywhere(t, func(w *world) {
		text := strings.ReplaceAll(everything, "password: ", "name: ") // the hashing is not the point
		var all sync.WaitGroup
		created := make([]int, 8)
		for i := range created {
			all.Go(func() {
				result, err := w.rules.Apply(w.ctx, registry.Read(registry.File{Name: "a.yaml", Data: []byte(text)}), false)
				if err != nil {
					t.Error(err)
					return
				}
				created[i] = result.Count(registry.Created)
			})
		}
		all.Wait()
		sum := 0
		for _, n := range created {
			sum += n
		}
		if sum != 12 {
			t.Errorf("applies created %v, together %d, want 12", created, sum)
		}
		w.equal("audit records", w.one("SELECT count(*) FROM audit"), "12")
		w.equal("accounts", w.one("SELECT count(*) FROM accounts"), "2")
	})
}

func TestOperatorTokens(t *testing.T) {
	everywhere(t, func(w *world) {
		token, err := w.rules.CreateOperatorToken(w.ctx, "ci", []string{"events.publish", "apps.read", "apps.read"})
		w.ok(err)
		hash := token.Hash()
		w.equal("the row", w.one("SELECT name, rights FROM operator_tokens WHERE hash = $1 AND ended_at = 0", hash[:]), "ci|apps.read events.publish")
		if !postern.OperatorForm.Matches(token) || strings.Contains(w.dump(), string(token)) {
			w.Errorf("the token has another form, or is stored")
		}
		w.equal("the audit record", w.one("SELECT action FROM audit"), "operator_token.created")
		for _, bad := range []struct {
			name   string
			rights []string
		}{{"", []string{"apps.read"}}, {"ci", nil}, {"ci", []string{"apps"}}, {"ci\u202e", []string{"apps.read"}}} {
			if _, err := w.rules.CreateOperatorToken(w.ctx, bad.name, bad.rights); !postern.Is(err, postern.InvalidRequest) {
				w.Errorf("a token for %q with %v gives %v", bad.name, bad.rights, err)
			}
		}
	})
}

func TestALargeImport(t *testing.T) {
	w := newWorld(t, engines.SQLite(t))
	var text strings.Builder
	text.WriteString("accounts:\n")
	for i := range 2000 {
		n := strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "-" + hex([]byte{byte(i >> 8), byte(i)})
		text.WriteString("- {id: " + n + ", name: " + n + ", users: [{email: " + n + "@x.test}]}\n")
	}
	if n := w.apply(text.String()).Count(registry.Created); n != 4000 {
		t.Errorf("%d objects were created", n)
	}
	if n := w.apply(text.String()).Count(registry.Unchanged); n != 4000 {
		t.Errorf("%d objects were left", n)
	}
}
