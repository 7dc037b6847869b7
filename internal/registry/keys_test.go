package registry_test

import (
	"strings"
	"testing"
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
