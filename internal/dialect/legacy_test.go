package dialect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

const legacyFile = `
language: 1
name: acme
level: account
whoami: {at: GET /me, answer: {id: $account.id}}
events:
  connection.deleted:
    headers: {X-Kind: $event.type, X-Who: $user.nickname}
    body: {id: $event.id, object: event, type: account.deauthorized, created_at: $event.at.rfc3339, why: $event.reason, data: {account: $account.id, client: $client_id}}
    sign: {as: X-Acme-Signature, with: sha256 hex, over: body, key: webhook secret, prefix: "sha256="}
  connection.updated: {body: {scopes: $event.scopes.list, number: $connection.number}}
`

func TestAnEventInTheShapeOfTheOldServer(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(legacyFile))
	if err != nil {
		t.Fatal(err)
	}
	asked := ""
	key := func(name string) (postern.Secret, error) { asked = name; return "hush", nil }
	h := &Happening{ID: "evt_1", Type: postern.ConnectionDeleted, At: start, Reason: postern.EndedByApp, AppID: "x",
		Account: &postern.Account{ID: "a\r\n\"b"}, User: &postern.User{ID: "u", Nickname: "ada\r\nX-Evil: 1"}}
	got, err := d.LegacyEvent(h, key)
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"id":"evt_1","object":"event","type":"account.deauthorized","created_at":"2026-05-04T12:00:00Z","why":"app","data":{"account":"a\r\n\"b","client":"x"}}`
	if string(got.Body) != body || asked != webhookSecret {
		t.Errorf("%s, signed with the %s", got.Body, asked)
	}
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write([]byte(body))
	want := []Header{{"X-Kind", "connection.deleted"}, {"X-Who", "adaX-Evil: 1"}, {"X-Acme-Signature", "sha256=" + hex.EncodeToString(mac.Sum(nil))}}
	for i, header := range got.Header {
		if header != want[i] {
			t.Errorf("%v, want %v", header, want[i])
		}
	}
	if _, err := d.LegacyEvent(h, func(string) (postern.Secret, error) { return "", errors.New("away") }); err == nil {
		t.Error("signed without a key")
	}
	h = &Happening{Type: postern.ConnectionUpdated, Scopes: []string{"a", "b"}, ConnectionNumber: 7, At: time.Time{}}
	if got, err = d.LegacyEvent(h, nil); err != nil || string(got.Body) != `{"scopes":["a","b"],"number":7}` || len(got.Header) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	h.Type = postern.ConnectionCreated
	if got, err = d.LegacyEvent(h, nil); got != nil || err != nil {
		t.Errorf("an event without a shape: %+v %v", got, err)
	}
}

func TestLegacyEventsAreLookedOver(t *testing.T) {
	for _, row := range []struct{ old, new, want string }{
		{"connection.updated", "connection.exploded", "no event of a connection"},
		{"X-Kind: ", "Webhook-Id: ", "standard webhooks'"},
		{"X-Kind: ", "Content-Type: ", "own affair"},
		{"as: X-Acme-Signature", "as: Content-Length", "own affair"},
		{"as: X-Acme-Signature", "as: x-kind", "set twice"},
		{"number: $connection.number", "t: $access_token", "[E10]"},
		{"X-Who: $user.nickname", "X-Who: $code", "[E10]"},
		{"key: webhook secret", "key: client secret", "insecure_recoverable_client_secret"},
		{"over: body", "over: sorted query", "cannot be signed here"},
		{"body: {scopes: $event.scopes.list, number: $connection.number}", "body: [1]", "mapping"},
	} {
		_, err := Library{}.Compile("acme.yaml", []byte(strings.Replace(legacyFile, row.old, row.new, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.new, err)
		}
	}
}
