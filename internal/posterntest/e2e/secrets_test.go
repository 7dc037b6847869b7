package e2e

import (
	"net/http"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// I-60 and I-61, xref.md §8.10: after every way that a secret can go through
// Postern, rightly and wrongly, none is found in the database or in the log at its
// most talkative.
func TestI60I61NoSecretIsKeptOrTold(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		secrets := map[string]string{"the password": posterntest.Password, "the API's secret": posterntest.APISecret}
		for _, app := range posterntest.Apps {
			other := posterntest.Others[app.Dialect]
			secrets[app.Dialect+" client secret"] = app.Secret
			code := s.Approve(app, posterntest.Ada, "state", "S")
			secrets[app.Dialect+" code"] = code
			s.Redeem(other, code).Wants(400, "invalid_grant")
			a := s.Redeem(app, code).OK()
			secrets[app.Dialect+" access token"] = a.Field("access_token")
			if refresh := a.Field("refresh_token"); refresh != "" {
				secrets[app.Dialect+" refresh token"] = refresh
				next := s.Refresh(app, refresh).OK()
				secrets[app.Dialect+" next access token"] = next.Field("access_token")
				secrets[app.Dialect+" next refresh token"] = next.Field("refresh_token")
			}
			s.Alive(a.Field("access_token"))
			s.Redeem(app, code).Wants(400, "invalid_grant")
			unused := s.Approve(app, posterntest.Alan)
			secrets[app.Dialect+" unused code"] = unused
			s.Send(posterntest.Request{Method: http.MethodGet, Path: "/oauth/tokens?code=" + unused + "&client_secret=" + app.Secret})
			s.Send(posterntest.PostRaw("/oauth/tokens", "application/json", `{"code":"`+unused+`"`))
		}
		for _, cookie := range s.SignedIn(posterntest.Ada).Cookies() {
			secrets["cookie "+cookie.Name] = cookie.Value
		}
		database, log := posterntest.Dump(t, s.Database), s.Log.String()
		if len(log) == 0 || len(database) < 1000 {
			t.Fatalf("%d bytes of log, %d of database", len(log), len(database))
		}
		for name, secret := range secrets {
			for where, text := range map[string]string{"database": database, "log": log} {
				if how := posterntest.Holds(text, secret); how != "" {
					t.Errorf("the %s holds %s %s", where, name, how)
				}
			}
		}
	})
}
