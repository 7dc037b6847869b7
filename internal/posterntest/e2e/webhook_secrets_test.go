package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/receiver"
)

// WH-20: in all that partners are sent – each type, each dialect, both levels,
// headers and bodies – there is no secret and no address of ours.
func TestWH20_NoSecretIsSentToAnEndpoint(t *testing.T) {
	s := posterntest.New(t)
	s.Apply(candidateEvents)
	hooks := map[string]*receiver.Receiver{}
	never := map[string]string{
		"the password": posterntest.Password, "the API's secret": posterntest.APISecret, "the endpoint's secret": hookSecret,
		"the internal listener": strings.TrimPrefix(s.Internal, "http://"), "the database": strings.TrimPrefix(s.Database, "sqlite:"),
	}
	account := ""
	for _, app := range posterntest.Apps {
		hooks[app.ID] = receiver.New(t, nil)
		hooked(s, app, hooks[app.ID].URL)
		never[app.ID+"'s client secret"] = app.Secret
		code := s.Approve(app, posterntest.Ada)
		never[app.ID+"'s code"] = code
		a := s.Redeem(app, code).OK()
		for _, name := range []string{"access_token", "refresh_token"} {
			if token := a.Field(name); token != "" {
				never[app.ID+"'s "+name] = token
			}
		}
		_, data := hooks[app.ID].Wait(t, 1)[0].Data()
		account = data["account_id"].(string)
	}
	operator := s.OperatorToken("events.publish", "webhooks.write")
	never["the operator's token"] = operator
	accepted := func(path, body string) {
		t.Helper()
		if a := s.Send(asOperator(operator, postDocument(path, body))); a.Status != 202 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for id, kind := range map[string]string{"e-1": "candidate.updated", "e-2": "notice.sent"} {
		accepted("/api/v1/events", fmt.Sprintf(`{"id":%q,"type":%q,"account_id":%q,"data":{}}`, id, kind, account))
	}
	for _, app := range posterntest.Apps {
		accepted("/api/v1/apps/"+app.ID+"/webhook/test", "")
	}
	s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada, "scope", "candidates.write")).OK() // updated
	for _, app := range posterntest.Apps {
		a := s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
		s.Revoke(app, a.Field("access_token"))
	}
	wanted := []string{"connection.created", "connection.updated", "connection.deleted", "candidate.updated", "notice.sent", "postern.test"}
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		all := ""
		for app, r := range hooks {
			for _, m := range r.All() {
				all += fmt.Sprintf("%s %v %s\n", app, m.Header, m.Body)
			}
		}
		missing := ""
		for _, kind := range wanted {
			if !strings.Contains(all, `{"type":"`+kind+`"`) {
				missing += " " + kind
			}
		}
		if missing != "" && time.Now().Before(deadline) {
			continue
		}
		if missing != "" {
			t.Errorf("never came:%s", missing)
		}
		for name, secret := range never {
			if how := posterntest.Holds(all, secret); how != "" {
				t.Errorf("an endpoint was sent %s %s", name, how)
			}
		}
		for _, mark := range []string{"$argon2", "$2a$", "whsec_"} {
			if strings.Contains(all, mark) {
				t.Errorf("an endpoint was sent something with %s", mark)
			}
		}
		return
	}
}
