package registry_test

import (
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

// signing mounts a wire that carries signed tokens, and one whose tokens live too
// long for that.
func (w *world) signing() {
	w.rules.LongestSigned = time.Hour
	signs, long, never := w.rules.Dialects["other"], w.rules.Dialects["other"], w.rules.Dialects["other"]
	signs.SignedTokens, signs.AccessLife = true, time.Hour
	long.SignedTokens, long.AccessLife = true, 2*time.Hour
	never.SignedTokens = true
	w.rules.Dialects["signed"], w.rules.Dialects["long"], w.rules.Dialects["never"] = signs, long, never
}

func formatApp(dialect, format string) string {
	return "partners:\n  - name: P\n    apps:\n      - name: X\n        client_id: x\n        dialect: " + dialect +
		"\n        redirect_urls: [https://p.test/cb]\n        access_token_format: " + format + "\n"
}

func TestTheFormatOfAccessTokensIsDeclared(t *testing.T) {
	everywhere(t, func(w *world) {
		w.signing()
		format := func() postern.TokenFormat {
			w.Helper()
			app, err := w.db.App(w.ctx, "x")
			w.ok(err)
			return app.AccessTokenFormat
		}
		w.apply(formatApp("signed", "jwt"))
		if format() != postern.JWT {
			w.Fatalf("it is %q", format())
		}
		w.did(formatApp("signed", "jwt"), "unchanged partner P", "unchanged app X")
		w.apply(strings.Split(formatApp("signed", "jwt"), "        access_token_format")[0]) // left out, so left alone
		if format() != postern.JWT {
			w.Fatalf("it is %q", format())
		}
		w.did(formatApp("signed", "opaque"), "unchanged partner P", "changed app X: access_token_format")
		if format() != postern.Opaque {
			w.Fatalf("it is %q", format())
		}
	})
}

func TestAFormatThatTheWireCannotCarryIsRefused(t *testing.T) {
	everywhere(t, func(w *world) {
		w.signing()
		const at = "a.yaml:8:30: partners[0].apps[0].access_token_format: "
		const long = "is jwt, and access tokens live longer than 1h0m0s here: nobody who only reads a signed one hears that it has ended; " +
			"shorten lifetimes.access (or expires in the dialect's file), or write opaque"
		w.refused(formatApp("open", "jwt"), at+"is jwt, and access tokens of the dialect open have a form or a life that a signed one cannot have; "+
			"write opaque, or let the dialect's file say format: by app")
		w.refused(formatApp("long", "jwt"), at+long)
		w.refused(formatApp("never", "jwt"), at+long)
		w.refused(formatApp("signed", "jws"), at+`"jws" is no format of access tokens; write opaque or jwt`)
		w.apply(formatApp("signed", "jwt"))
		w.refused(strings.Split(formatApp("open", "jwt"), "        access_token_format")[0],
			"a.yaml:4:9: partners[0].apps[0].access_token_format: is jwt, and access tokens of the dialect open have a form or a life that a signed one cannot have; "+
				"write opaque, or let the dialect's file say format: by app")
	})
}
