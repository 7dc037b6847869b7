package registry_test

import (
	"errors"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

// An app's keys stand in for a secret: none is made, one that was is given up by
// an empty list, and whoever gives the keys up again is given a secret.
func TestAnAppWithKeysNeedsNoSecret(t *testing.T) {
	everywhere(t, func(w *world) {
		one := func(more string) string { return "partners: [{name: P, apps: [{name: X, client_id: x" + more + "}]}]" }
		keys := ", jwks: {keys: [" + strings.Replace(publicKey, "use: sig", "use: sig, ext: true, key_ops: [verify]", 1) + "]}"
		w.apply(one(keys))
		app, err := w.db.App(w.ctx, "x")
		w.ok(err)
		const kept = `{"keys":[{"crv":"P-256","kid":"k1","kty":"EC","use":"sig","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
		if app.JWKS != kept || len(app.Secrets) != 0 {
			t.Errorf("%s, %d secrets", app.JWKS, len(app.Secrets))
		}
		if r := w.apply(one(keys)); r.Count("unchanged") != len(r.Changes) {
			t.Error("the same again changes something")
		}
		w.apply(one(", client_secret: s3cret-s3cret-s3cret-1"))
		w.apply(one(", client_secrets: []"))
		if app, err = w.db.App(w.ctx, "x"); err != nil || len(app.Secrets) != 0 || app.JWKS != kept {
			t.Errorf("%v, %v", app, err)
		}
		r := w.apply(one(", jwks: none"))
		if app, err = w.db.App(w.ctx, "x"); err != nil || len(app.Secrets) != 1 || app.JWKS != "" {
			t.Errorf("%v, %v", app, err)
		}
		for _, c := range r.Changes {
			if c.Kind == "app" && len(c.Secrets) != 1 {
				t.Error("the secret that was made is not told")
			}
		}
	})
}

// publicJSON is the same key as a partner pastes it.
const publicJSON = `{"kty": "EC", "crv": "P-256", "kid": "k1", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`

// What a partner pastes is held to the rules of files, and kept as they keep it.
func TestAPartnerRegistersKeysByTheRulesOfFiles(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		stored := func() string { w.Helper(); return w.one("SELECT jwks FROM apps WHERE id = '" + app.ID + "'") }
		for text, want := range map[string]string{
			"hello": `jwks: This is no key set. Paste it as JSON: it begins with {"keys": [{"kty": and has at least one public key.`,
			"{}":    `jwks: This is no key set. Paste it as JSON: it begins with {"keys": [{"kty": and has at least one public key.`,
			`{"keys": [` + publicJSON + `, "d": "secret"}]}`:                      "jwks: Key 1: its member d is part of a private key, which only the app may know; register the public key alone, of a new key pair.",
			`{"keys": [` + publicJSON + `}, ` + publicJSON + `}]}`:                "jwks: Key 2: its member kid is the kid of another key of this app; give each its own.",
			`{"keys": [` + strings.Replace(publicJSON, "x_FE", "y_FE", 1) + `}]}`: "jwks: Key 1 is no public key that can be read; copy it whole, with kty and its members as base64url.",
		} {
			if got := strings.Join(found(w.rules.SetKeys(w.ctx, dev, app.ID, text)), "\n"); got != want {
				w.Errorf("%s\nfound %s\nwant  %s", text, got, want)
			}
		}
		w.ok(w.rules.SetKeys(w.ctx, dev, app.ID, `{"keys": [`+publicJSON+`, "ext": true, "key_ops": ["verify"]}]}`))
		const kept = `{"keys":[{"crv":"P-256","kid":"k1","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
		w.equal("what is kept", stored(), kept)
		row, err := w.db.AppRow(w.ctx, app.ID)
		w.ok(err)
		if keys, err := registry.PublicKeys(row); err != nil || len(keys) != 1 || keys[0].ID != "k1" || keys[0].Kind != "EC P-256" || len(keys[0].Fingerprint) != 43 {
			w.Errorf("the keys are %+v, %v", keys, err)
		}
		w.ok(w.rules.SetKeys(w.ctx, dev, app.ID, kept)) // again: nothing happens
		w.equal("records", w.one("SELECT count(*) FROM audit WHERE action = 'app.keys_registered'"), "1")

		// A public app has nothing to keep a key with.
		public := form(func(f *registry.AppForm) { f.Public = true })
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, public)
		w.equal("the question", strings.Join(found(err), "\n"), "public: A public app proves itself with nothing: its public keys are removed when you save this.")
		asked, _ := errors.AsType[registry.Findings](err)
		public.Sure = asked.Slips()
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, public)
		w.ok(err)
		w.equal("the keys of a public app", stored(), "")
		if err := w.rules.SetKeys(w.ctx, dev, app.ID, kept); !postern.Is(err, postern.Conflict) {
			w.Errorf("keys for a public app: %v", err)
		}
		w.ok(w.rules.SetKeys(w.ctx, dev, app.ID, ""))
	})
}
