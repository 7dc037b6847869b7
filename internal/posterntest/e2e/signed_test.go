package e2e

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/pg"
)

// wantSigned has two apps of the fixtures get signed access tokens.
const wantSigned = `partners:
  - name: Partner Inc
    apps:
      - {client_id: standard-app, access_token_format: jwt}
      - {client_id: robot-app, access_token_format: jwt}
`

// headerOf is the header of a signed token.
func headerOf(t *testing.T, token string) map[string]string {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(first)
	var header map[string]string
	if err == nil {
		err = json.Unmarshal(text, &header)
	}
	if err != nil {
		t.Fatalf("%q is no signed token: %v", token, err)
	}
	return header
}

func byItself(a posterntest.App) posterntest.Request {
	return posterntest.PostForm("/oauth/token", "grant_type", "client_credentials", "scope", "jobs.read").
		Authorized(posterntest.Basic(a.ID, a.Secret))
}

// What asks, knows a signed token as it knows any other: so too when it has ended.
func TestASignedTokenIsCheckedAsAnyOther(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(wantSigned)
		a := connect(s, standard, posterntest.Ada)
		token := a.Field("access_token")
		if h := headerOf(t, token); h["typ"] != "at+jwt" || h["alg"] != "ES256" {
			t.Errorf("the header is %v", h)
		}
		known := s.Introspect(token)
		if !known.Flag("active") || known.Field("client_id") != standard.ID || known.Field("connection_id") == "" {
			t.Errorf("introspection says %s", known.Body)
		}
		for range 2 { // at first sight, and from memory
			c := check(s, "?scope=candidates.read", "Bearer "+token)
			if c.Status != 200 || c.Header.Get("X-Postern-App") != standard.ID || c.Header.Get("X-Postern-Account") != known.Field("account_id") {
				t.Errorf("the check says %d %v", c.Status, c.Header)
			}
		}
		header, rest, _ := strings.Cut(token, ".")
		claims, _, _ := strings.Cut(rest, ".")
		unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + claims + "."
		for _, forged := range []string{unsigned, unsigned + "AA", header + "." + claims + "." + strings.Repeat("A", 86), token + "A", header + "." + claims} {
			if c := check(s, "", "Bearer "+forged); c.Status != 401 {
				t.Errorf("the check says %d of %q", c.Status, forged)
			}
		}
		retried := s.Refresh(standard, a.Field("refresh_token")).OK()
		if again := s.Refresh(standard, a.Field("refresh_token")).OK(); again.Body != retried.Body {
			t.Errorf("a retry got\n%s\nat first\n%s", again.Body, retried.Body)
		}
		s.Revoke(standard, token).OK()
		if c := check(s, "", "Bearer "+token); c.Status != 401 || s.Alive(token) || !s.Alive(retried.Field("access_token")) {
			t.Errorf("revoked, the check says %d", c.Status)
		}
		s.Disconnect(posterntest.Ada, standard)
		if c := check(s, "", "Bearer "+retried.Field("access_token")); c.Status != 401 {
			t.Errorf("disconnected, the check says %d", c.Status)
		}
	})
}

// Processes that need a first key at one moment get one; what an operator retires
// on the command line, all of them stop using.
func TestManyProcessesSignWithOneKey(t *testing.T) {
	c := posterntest.NewCluster(t, build(t), pg.URL(t), 3)
	resources := filepath.Join(t.TempDir(), "signed.yaml")
	if err := os.WriteFile(resources, []byte(wantSigned), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := exec.Command(build(t), append(args, "--config", c.Nodes[0].ConfigFile())...).CombinedOutput()
		if err != nil {
			t.Fatalf("postern %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	run("apply", resources)
	signed := func() map[string]bool {
		t.Helper()
		keys := map[string]bool{}
		for _, a := range spread(c, 30, byItself(posterntest.Robot)) {
			keys[headerOf(t, a.OK().Field("access_token"))["kid"]] = true
		}
		return keys
	}
	first := signed()
	if len(first) != 1 {
		t.Fatalf("three nodes sign with %v", first)
	}
	listed := run("keys", "list")
	for key := range first {
		if !strings.Contains(listed, key+"  signing") {
			t.Errorf("keys list says\n%s\nof %s", listed, key)
		}
	}
	if said := run("keys", "rotate"); !strings.Contains(said, "is published, and signs from ") {
		t.Errorf("keys rotate says %s", said)
	}
	if second := signed(); len(second) != 1 || !sameKeys(first, second) {
		t.Errorf("a key signs before it was published for long: %v", second)
	}
	run("keys", "rotate", "--retire-now")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		now := signed()
		if len(now) == 1 && !sameKeys(first, now) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("30 s after the key was retired the nodes sign with %v", now)
		}
	}
	for _, node := range c.Nodes {
		for key := range first {
			if set := node.Send(posterntest.Request{Method: "GET", Path: "/oauth/jwks"}).OK(); strings.Contains(set.Body, key) {
				t.Errorf("a node publishes the retired key: %s", set.Body)
			}
		}
	}
}

func sameKeys(a, b map[string]bool) bool {
	for key := range a {
		if !b[key] {
			return false
		}
	}
	return len(a) == len(b)
}

// BenchmarkTokenRequest is the processor's time, caller and server together, of a
// request for an opaque token and for a signed one (docs/speed.md).
func BenchmarkTokenRequest(b *testing.B) {
	for _, format := range []string{"opaque", "jwt"} {
		b.Run(format, func(b *testing.B) {
			s := posterntest.New(b)
			s.Apply(strings.ReplaceAll(wantSigned, "jwt", format))
			request := byItself(posterntest.Robot)
			s.Send(request).OK()
			before := processorTime(b)
			for b.Loop() {
				s.Send(request).OK()
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
