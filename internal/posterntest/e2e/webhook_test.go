package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/receiver"
)

const hookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

// hooked gives an app an endpoint.
func hooked(s *posterntest.Postern, app posterntest.App, url string) {
	s.Apply(hook(app, url))
}

func hook(app posterntest.App, url string) string {
	return fmt.Sprintf("partners: [{name: Partner Inc, apps: [{client_id: %s, name: %s, webhook_url: %q, webhook_secret: %q}]}]\n",
		app.ID, app.Name, url, hookSecret)
}

const candidateEvents = "events: [{type: candidate.updated, description: A candidate changed, scope: candidates.read}, {type: notice.sent, description: A notice}]\n"

func asOperator(token string, r posterntest.Request) posterntest.Request {
	return r.Authorized("Bearer " + token)
}

func postDocument(path, body string) posterntest.Request {
	return posterntest.Request{Path: path, Body: body}.With("Content-Type", "application/json")
}

func asApp(app posterntest.App, path string) posterntest.Request {
	pair := base64.StdEncoding.EncodeToString([]byte(app.ID + ":" + app.Secret))
	return posterntest.Request{Method: http.MethodGet, Path: path}.Authorized("Basic " + pair)
}

// xref.md §7, word for word; the same events can be pulled.
func TestXrefTellsOfConnectionsMadeAndEnded(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		r := receiver.New(t, nil)
		hooked(s, posterntest.Xref, r.URL)
		answer := s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Ada)).OK()
		s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Alan)).OK() // no second event
		s.Revoke(posterntest.Xref, answer.Field("access_token")).OK()
		got := r.Wait(t, 2)
		wire := answer.Field("xref_account_id")
		for i, want := range []string{"connection.created", "connection.deleted"} {
			kind, data := got[i].Data()
			if kind != want || data["sequence"] != float64(i+1) || data["xref_account_id"] != wire || data["user"] != nil {
				t.Errorf("%s", got[i].Body)
			}
			if !got[i].Verified(t, hookSecret) {
				t.Errorf("%s: the signature does not verify", want)
			}
		}
		if _, data := got[1].Data(); data["reason"] != "app" {
			t.Errorf("%s", got[1].Body)
		}
		pulled := s.Send(asApp(posterntest.Xref, "/api/v1/events")).OK()
		var said struct {
			Events []struct{ ID, Type string }
			Cursor string
		}
		if err := json.Unmarshal([]byte(pulled.Body), &said); err != nil {
			t.Fatal(err)
		}
		if len(said.Events) != 2 || said.Events[0].ID != got[0].ID() || said.Events[1].ID != got[1].ID() {
			t.Errorf("pulled %s", pulled.Body)
		}
		began := time.Now()
		empty := s.Send(asApp(posterntest.Xref, "/api/v1/events?wait=1&after="+said.Cursor)).OK()
		if time.Since(began) < time.Second || !strings.Contains(empty.Body, `"events":[]`) {
			t.Errorf("after %s: %s", time.Since(began), empty.Body)
		}
		s.Send(asApp(posterntest.OtherXref, "/api/v1/events")).Says(200, `{"events":[],"cursor":"0"}`+"\n")
	})
}

func TestXeeboTellsOfTheUser(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		r := receiver.New(t, nil)
		hooked(s, posterntest.Xeebo, r.URL)
		s.Redeem(posterntest.Xeebo, s.Approve(posterntest.Xeebo, posterntest.Ada)).OK()
		kind, data := r.Wait(t, 1)[0].Data()
		if kind != "connection.created" || data["user"] != "ada" || data["user_id"] == nil || data["xref_account_id"] != nil {
			t.Errorf("%v", data)
		}
	})
}

func TestProductEventsReachOnlyWhoHoldsTheScope(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		r, x := receiver.New(t, nil), receiver.New(t, nil)
		s.Apply(candidateEvents)
		hooked(s, posterntest.Standard, r.URL)
		hooked(s, posterntest.Xref, x.URL)
		token := s.OperatorToken("events.publish")
		a := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK()
		s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Ada)).OK()
		created := r.Wait(t, 1)[0]
		_, about := created.Data()
		account := about["account_id"].(string)
		event := func(id, kind string) string {
			return fmt.Sprintf(`{"id":%q,"type":%q,"account_id":%q,"data":{"candidate":"c<1>"}}`, id, kind, account)
		}
		s.Send(asOperator(token, postDocument("/api/v1/events", event("e-1", "candidate.updated")))).Says(202, `{"id":"e-1","status":"published"}`+"\n")
		s.Send(asOperator(token, postDocument("/api/v1/events", event("e-1", "candidate.updated")))).Says(202, `{"id":"e-1","status":"duplicate"}`+"\n")
		s.Send(asOperator(token, postDocument("/api/v1/events", event("e-1", "notice.sent")))).Wants(409, "conflict")
		s.Send(asOperator(token, postDocument("/api/v1/events", "["+event("e-2", "notice.sent")+","+event("e-3", "notice.sent")+"]"))).
			Says(202, `{"events":[{"id":"e-2","status":"published"},{"id":"e-3","status":"published"}]}`+"\n")
		got := r.Wait(t, 4)
		kind, data := got[1].Data()
		if got[1].ID() != "e-1" || kind != "candidate.updated" || data["candidate"] != "c<1>" || data["account_id"] != account ||
			data["connection_id"] != about["connection_id"] || !got[1].Verified(t, hookSecret) {
			t.Errorf("%s %s", got[1].ID(), got[1].Body)
		}
		// The app without scopes gets what needs none.
		if ids := strings.Join(func() []string { x.Wait(t, 3); return x.IDs()[1:] }(), " "); ids != "e-2 e-3" {
			t.Errorf("the app without the scope got %s", ids)
		}
		// Ended between publishing and delivery: not sent, and the history says why.
		r.Says(receiver.Status(500))
		s.Send(asOperator(token, postDocument("/api/v1/events", event("e-4", "candidate.updated"))))
		r.Wait(t, 5)
		s.Revoke(posterntest.Standard, a.Field("refresh_token")).OK()
		r.Says(nil)
		before := len(r.All())
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			s.Clock.Advance(30 * time.Second)
			said := s.Send(asApp(posterntest.Standard, "/api/v1/apps/standard-app/deliveries/e-4"))
			if strings.Contains(said.Body, `"state":"withheld"`) && strings.Contains(said.Body, "connection") {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d %s", said.Status, said.Body)
			}
		}
		for _, m := range r.All()[before:] {
			if m.ID() == "e-4" {
				t.Error("an event was sent after the connection had ended")
			}
		}
	})
}

func TestPublishingRefusesWhatIsWrongAndNamesTheField(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(candidateEvents)
		s.Apply("accounts: [{name: Hooli, id: hooli}]\n")
		token := s.OperatorToken("events.publish")
		other := s.OperatorToken("accounts.read")
		good := `{"type":"notice.sent","account_id":"hooli","data":{}}`
		big := `{"type":"notice.sent","account_id":"hooli","data":{"x":"` + strings.Repeat("a", 16<<10) + `"}}`
		for _, c := range []struct{ body, field string }{
			{strings.Replace(good, "notice.sent", "unheard.of", 1), "type:"},
			{strings.Replace(good, "hooli", "nobody", 1), "account_id:"},
			{strings.Replace(good, "notice.sent", "connection.deleted", 1), "type:"},
			{strings.Replace(good, `"data"`, `"scope":"no.such","data"`, 1), "scope:"},
			{strings.Replace(good, `"data"`, `"user_id":"nobody","data"`, 1), "user_id:"},
			{strings.Replace(good, `"data"`, `"id":"a.b","data"`, 1), "id:"},
			{strings.Replace(good, `{}`, `[]`, 1), "data:"},
			{strings.Replace(good, `{}`, `{"sequence":1}`, 1), "data:"},
			{big, "data:"},
			{`{"type":"notice.sent","data":{}}`, "account_id:"},
			{strings.Replace(good, `"data"`, `"extra":1,"data"`, 1), "extra:"},
			{strings.Replace(good, `"data"`, `"type":"notice.sent","data"`, 1), "type:"},
			{`[` + good + `,` + strings.Replace(good, "notice.sent", "x", 1) + `]`, "events[1].type:"},
			{`[]`, "1 to 1000"},
			{`{`, "JSON"},
			{`[1]`, "must be an object"},
			{`"x"`, "must be an object"},
		} {
			a := s.Send(asOperator(token, postDocument("/api/v1/events", c.body)))
			a.Wants(400, "invalid_request")
			if !strings.Contains(a.Field("error_description"), c.field) {
				t.Errorf("%.80s: %s does not name %s", c.body, a.Body, c.field)
			}
		}
		s.Send(asOperator(other, postDocument("/api/v1/events", good))).Wants(403, "insufficient_scope")
		s.Send(asOperator("poo_nonsense", postDocument("/api/v1/events", good))).Wants(401, "invalid_token")
		s.Send(postDocument("/api/v1/events", good)).Wants(401, "invalid_token")
		s.Send(asApp(posterntest.Public, "/api/v1/events")).Wants(401, "invalid_client")
		s.Send(asApp(posterntest.Xref, "/api/v1/apps/standard-app/deliveries")).Wants(404, "not_found")
		for query, why := range map[string]string{
			"befor=1": "befor: there is no such", "limit=0": "limit: write a number from 1 to 200", "wait=31": "wait: write a number from 0 to 30",
			"after=evt_1": "after: write the cursor of an earlier answer",
		} {
			a := s.Send(asApp(posterntest.Xref, "/api/v1/events?"+query))
			a.Wants(400, "invalid_request")
			if !strings.Contains(a.Field("error_description"), why) {
				t.Errorf("%s: %s", query, a.Body)
			}
		}
		s.Send(asApp(posterntest.Xref, "/api/v1/nothing")).Wants(404, "not_found")
	})
}

// I-50, I-51: a node is killed again and again while connections are made and
// ended; the receiver counts.
func TestI50KilledNodesLoseNoEvent(t *testing.T) {
	program := build(t)
	engines.Each(t, func(t *testing.T, database string) {
		slow := func(w http.ResponseWriter, _ *http.Request) { time.Sleep(2 * time.Millisecond) }
		r := receiver.New(t, slow)
		c := posterntest.NewCluster(t, program, database, 1)
		node := c.Nodes[0]
		applyHook(t, program, node, r.URL)
		answered := 0
		for round := range 4 {
			for deadline := time.Now().Add(700 * time.Millisecond); time.Now().Before(deadline); {
				token := connect(node.Postern, posterntest.Xref, posterntest.Ada).Field("access_token")
				node.Revoke(posterntest.Xref, token).OK()
				answered += 2
			}
			node.Kill()
			node.Start()
			t.Logf("round %d: %d events", round, answered)
		}
		byConnection := map[string]map[float64]string{}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			seen := map[string]bool{}
			for _, m := range r.All() {
				seen[m.ID()] = true
				_, data := m.Data()
				connection, sequence := data["connection_id"].(string), data["sequence"].(float64)
				if byConnection[connection] == nil {
					byConnection[connection] = map[float64]string{}
				}
				if id := byConnection[connection][sequence]; id != "" && id != m.ID() {
					t.Fatalf("event %v of %s has two ids", sequence, connection)
				}
				byConnection[connection][sequence] = m.ID()
			}
			if len(seen) >= answered {
				t.Logf("%d events, %d requests", len(seen), len(r.All()))
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d events of %d arrived\n%s", len(seen), answered, node.Log)
			}
		}
		for connection, all := range byConnection {
			if len(all) == 2 && (all[1] == "" || all[2] == "") || len(all) > 2 {
				t.Errorf("%s: sequence %v", connection, all)
			}
		}
	})
}

func applyHook(t *testing.T, program string, node *posterntest.Node, url string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hook.yaml")
	if err := os.WriteFile(file, []byte(hook(posterntest.Xref, url)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "apply", "--config", node.ConfigFile(), file).CombinedOutput(); err != nil {
		t.Fatalf("postern apply: %v\n%s", err, out)
	}
}

// A dialect may tell of connections as an old server did.
func TestAnOldServersEventsReachItsReceivers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acme.yaml")
	text := `language: 1
name: acme
base: /acme
level: account
event_data: {acme_account: $account.id}
events:
  connection.created:
    headers: {X-Acme-Topic: connected}
    body: {account: $account.id, why: created}
    sign: {as: X-Acme-Signature, with: sha256 hex, over: body, key: webhook secret}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database), posterntest.Dialects(file))
		r := receiver.New(t, nil)
		s.Apply(fmt.Sprintf("partners: [{name: Partner Inc, apps: [{client_id: standard-app, name: Standard Partner, dialect: acme, also: [standard], webhook_url: %q, webhook_secret: %q}]}]\n", r.URL, hookSecret))
		a := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK()
		s.Revoke(posterntest.Standard, a.Field("refresh_token")).OK()
		got := r.Wait(t, 2)
		mac := hmac.New(sha256.New, []byte(hookSecret))
		mac.Write(got[0].Body)
		if got[0].Header.Get("X-Acme-Signature") != hex.EncodeToString(mac.Sum(nil)) || got[0].Header.Get("X-Acme-Topic") != "connected" ||
			!strings.Contains(string(got[0].Body), `"why":"created"`) || !got[0].Verified(t, hookSecret) {
			t.Errorf("%v %s", got[0].Header, got[0].Body)
		}
		// What the file has no shape for is told in the standard one.
		if kind, data := got[1].Data(); kind != "connection.deleted" || data["acme_account"] != data["account_id"] {
			t.Errorf("%s", got[1].Body)
		}
	})
}
