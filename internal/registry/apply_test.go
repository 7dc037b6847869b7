package registry_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// everything is the whole of the contract's example.
const everything = `
scopes:
  - {name: candidates.read, description: See your candidates}
  - {name: candidates.write, description: Change your candidates}
accounts:
  - name: Acme
    users: [{email: ada@acme.test, password: correct horse, nickname: ada, role: admin}, {email: bob@acme.test}]
  - id: d1e01e1a36a09eda2a31b01caf62eb2e
    name: Globex
    handle: globex
    attributes: {plan: gold, seats: 12}
    users: [{email: ADA@acme.test, role: member}]
partners:
  - name: Partner Inc
    members: [{email: dev@partner.test, password: portal horse, role: owner}]
    apps:
      - name: Partner X
        description: Tracks applicants
        url: https://partner.test
        dialect: strict
        also: [open]
        level: account
        attributes: {bot_id: B1}
        client_id: partner-x
        client_secret: s3cret-s3cret-s3cret-1
        redirect_urls: [https://partner.test/integrations/cb]
        webhook_url: https://partner.test/hook
        webhook_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
        logo_url: https://partner.test/logo.png
        scopes: [candidates.read]
        default_scopes: [candidates.read]
        iss: true
        grants: [authorization_code, refresh_token]
        connect_roles: [admin]
        public: false
apis:
  - {name: main, id: api-main, secret: api-s3cret-api-s3cret}
events: [{type: candidate.updated, description: A candidate changed, scope: candidates.read}]
operators: [{email: op@saas.test, password: operator horse}]
`

func TestAWholeDeclarationIsAppliedOnceAndThenLeft(t *testing.T) {
	everywhere(t, func(w *world) {
		w.did(everything,
			"created scope candidates.read", "created scope candidates.write", "created event candidate.updated",
			"created account Acme", "created account Globex", "created user ada@acme.test", "created user bob@acme.test",
			"created partner Partner Inc", "created member dev@partner.test", "created app Partner X",
			"created api main", "created operator op@saas.test")
		hashed, before := w.people.hashed, w.dump()
		result := w.did(everything,
			"unchanged scope candidates.read", "unchanged scope candidates.write", "unchanged event candidate.updated",
			"unchanged account Acme", "unchanged account Globex", "unchanged user ada@acme.test", "unchanged user bob@acme.test",
			"unchanged partner Partner Inc", "unchanged member dev@partner.test", "unchanged app Partner X",
			"unchanged api main", "unchanged operator op@saas.test")
		if got := printed(w, result); !strings.Contains(got, "0 created, 0 changed, 0 removed, 12 unchanged.") {
			w.Errorf("printed\n%s", got)
		}
		if w.people.hashed != hashed {
			w.Errorf("%d passwords were hashed again", w.people.hashed-hashed)
		}
		w.equal("the second dump", w.dump(), before)
	})
}

func TestAllOfAnAppIsInItsRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(everything)
		app, err := w.db.App(w.ctx, "partner-x")
		w.ok(err)
		app.Secrets[0].ID, app.Secrets[0].CreatedAt, app.Partner.ID = "", time.Time{}, ""
		got, err := json.Marshal(app)
		w.ok(err)
		want := `{"ID":"partner-x","Partner":{"ID":"","Name":"Partner Inc","Disabled":false,"Waiting":"0001-01-01T00:00:00Z","Refusal":""},"Name":"Partner X",` +
			`"Description":"Tracks applicants","URL":"https://partner.test","LogoURL":"https://partner.test/logo.png","LogoHash":"","Dialect":"strict",` +
			`"Also":["open"],"Level":"account","Attributes":{"bot_id":"B1"},"RedirectURLs":["https://partner.test/integrations/cb"],` +
			`"WebhookURL":"https://partner.test/hook","Scopes":["candidates.read"],"DefaultScopes":["candidates.read"],` +
			`"Grants":["authorization_code","refresh_token"],"ConnectRoles":["admin"],"ISS":true,"Public":false,"Disabled":false,"Review":"","AccessTokenFormat":"","JWKS":"","Secrets":[{`
		if !strings.HasPrefix(string(got), want) {
			w.Errorf("the app is\n%s\nwant\n%s", got, want)
		}
		if !w.may("partner-x", "s3cret-s3cret-s3cret-1") || w.may("partner-x", "s3cret-s3cret-s3cret-2") {
			w.Error("the declared secret does not decide")
		}
		w.equal("Globex", w.one("SELECT id, handle, attributes FROM accounts WHERE name = 'Globex'"),
			`d1e01e1a36a09eda2a31b01caf62eb2e|globex|{"plan":"gold","seats":"12"}`)
		w.equal("ada's roles", strings.Join(w.rows("SELECT a.name, m.role FROM memberships m JOIN accounts a ON a.id = m.account_id JOIN users u ON u.id = m.user_id WHERE u.nickname = 'ada' ORDER BY a.name"), " "),
			"Acme|admin Globex|member")
		w.equal("the event", w.one("SELECT type, scope FROM event_types"), "candidate.updated|candidates.read")
		w.equal("the member's role", w.one("SELECT role FROM partner_members"), "owner")
		api, err := w.db.API(w.ctx, "api-main")
		w.ok(err)
		w.equal("the API", api.Name, "main")
		w.equal("the catalogue", strings.Join(w.rows("SELECT name, description FROM scopes ORDER BY position"), " "),
			"candidates.read|See your candidates candidates.write|Change your candidates")
	})
}

func TestNoSecretIsStoredInClear(t *testing.T) { // ST-01
	everywhere(t, func(w *world) {
		w.apply(everything)
		dump := w.dump()
		for _, marker := range []string{"correct horse", "portal horse", "operator horse", "s3cret-s3cret", "api-s3cret", "whsec_", "MfKQ9r8GKYqr"} {
			if strings.Contains(dump, marker) {
				w.Errorf("the rows hold %q", marker)
			}
		}
	})
}

func TestWhatAFileOmitsIsLeftAlone(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(everything)
		before := w.dump()
		w.did("partners: [{name: Partner Inc, apps: [{client_id: partner-x}, {name: Partner X}]}]\naccounts: [{name: Acme}]",
			"unchanged account Acme", "unchanged partner Partner Inc", "unchanged app Partner X", "unchanged app Partner X")
		w.did("", []string{}...)
		w.did("# nothing\n---\n", []string{}...)
		w.equal("the rows", w.dump(), before)
		w.did("partners: [{name: Partner Inc, apps: [{name: Partner X, redirect_urls: [https://partner.test/two], scopes: [], default_scopes: []}]}]",
			"unchanged partner Partner Inc", "changed app Partner X: redirect_urls, scopes, default_scopes")
		w.equal("the lists", w.one("SELECT redirect_urls, scopes, default_scopes, connect_roles, webhook_url FROM apps"),
			"https://partner.test/two|||admin|https://partner.test/hook")
		w.did("accounts: [{name: Acme, users: [{email: bob@acme.test, name: Bob, role: admin, disabled: true, attributes: {a: b}}]}]",
			"unchanged account Acme", "changed user bob@acme.test: name, attributes, disabled, role in "+w.one("SELECT id FROM accounts WHERE name = 'Acme'"))
	})
}

func TestSeveralFilesAndDocumentsAreOneDeclaration(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(
			"scopes: [{name: a, description: A}]\n---\naccounts: [{name: Acme, users: [{email: ada@acme.test}]}]\n",
			`{"accounts":[{"id":"acme-1","name":"Acme","users":[{"email":"bob@acme.test"},{"email":"Ada@acme.test","name":"Ada"}]}],"scopes":[{"name":"a","description":"A"}]}`,
			"partners: [{name: P, apps: [{name: X, client_id: x, scopes: [a]}]}]\n---\npartners: [{name: P, apps: [{name: X, redirect_urls: [https://p.test/cb]}]}]",
		)
		w.equal("the account", w.one("SELECT id FROM accounts"), "acme-1")
		w.equal("the users", strings.Join(w.rows("SELECT email, name FROM users ORDER BY email_folded"), " "), "ada@acme.test|Ada bob@acme.test|")
		w.equal("the app", w.one("SELECT id, scopes, redirect_urls FROM apps"), "x|a|https://p.test/cb")
	})
}

func TestADryRunWritesAndShowsNothingSecret(t *testing.T) {
	everywhere(t, func(w *world) {
		text := "partners: [{name: P, apps: [{name: X, webhook_url: https://p.test/hook}]}]\napis: [{name: a}]"
		before := w.dump()
		result, err := w.dryRun(text)
		w.ok(err)
		if out := printed(w, result); !strings.Contains(out, "3 created") || strings.Contains(out, "pos_") || strings.Contains(out, "whsec_") || strings.Contains(out, "pop_") {
			w.Errorf("printed\n%s", out)
		}
		w.equal("the rows", w.dump(), before)
	})
}

func TestSecretsAreMadeAndShownOnce(t *testing.T) { // PA-04, I-62, I-63
	everywhere(t, func(w *world) {
		text := "partners: [{name: P, apps: [{name: X, webhook_url: https://p.test/hook}]}]\napis: [{id: a}]"
		result := w.apply(text)
		client, hook, api := w.made(result, "client_secret"), w.made(result, "webhook_secret"), w.made(result, "secret")
		id := result.Changes[1].ID
		if !w.may(id, string(client)) {
			w.Error("the client secret that was shown does not work")
		}
		stored, err := w.db.API(w.ctx, "a")
		w.ok(err)
		if !stored.SecretHash.Equal(api.Hash()) {
			w.Error("the API's secret that was shown is not the stored one")
		}
		if len(hook) != len("whsec_")+44 {
			w.Errorf("the webhook secret has %d characters", len(hook))
		}
		out := printed(w, result)
		for _, secret := range []string{string(client), string(hook), string(api)} {
			if strings.Count(out, secret) != 1 {
				w.Errorf("%q is printed %d times in\n%s", secret, strings.Count(out, secret), out)
			}
			if strings.Contains(w.dump(), secret) {
				w.Error("a secret is stored in clear")
			}
		}
		if again := printed(w, w.apply(text)); strings.Contains(again, "shown this once") {
			w.Errorf("secrets are shown again\n%s", again)
		}
		sealed := w.one("SELECT id FROM apps WHERE webhook_secret IS NOT NULL")
		w.equal("the sealed secret's app", sealed, id)
	})
}

func TestEveryChangeIsAuditedOnce(t *testing.T) { // I-44
	everywhere(t, func(w *world) {
		w.apply(everything)
		w.apply(everything)
		w.equal("audit records", w.one("SELECT count(*) FROM audit WHERE actor = 'operator'"), "12")
		w.apply("partners: [{name: Partner Inc, apps: [{client_id: partner-x, disabled: true}]}]")
		w.equal("the new record", w.one("SELECT object, detail FROM audit WHERE action = 'app.changed'"), "app:partner-x|disabled")
		w.equal("the change for memories", strings.Join(w.rows("SELECT kind, key FROM changes"), " "), "app|partner-x")
	})
}
