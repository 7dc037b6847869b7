package dialect

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"postern.dev/postern"
)

// Programs put their secrets into every wrong place there is. What is kept for
// the people who make them holds none.
func TestNoSecretIsShownWhereverItWasPut(t *testing.T) {
	b := newBench(t, builtin(t, "standard"))
	var last Seen
	b.Seen = func(_ context.Context, s Seen) { last = s }
	const misplaced = "Mis1placed2Secret3of4a5partner6that7nobody8shows"
	named := []string{"grant_type", "authorization_code", "code", codeText, "client_id", "p-standard"}
	more := func(pairs ...string) string { return formBody(append(named, pairs...)...) }
	authorized := func(value string) http.Header {
		return headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", value)
	}
	ours, err := postern.ClientSecretForm.Mint(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]struct {
		header http.Header
		body   string
		secret string
	}{
		"a header without a scheme":     {authorized(misplaced), more(), misplaced},
		"another scheme":                {authorized("Bearer " + misplaced), more(), misplaced},
		"the name of a parameter":       {asAForm, more() + "&" + misplaced, misplaced},
		"the body's only text":          {authorized("Basic " + base64.StdEncoding.EncodeToString([]byte("p-standard:x"))), misplaced, misplaced},
		"a name with another meaning":   {asAForm, more("pwd", misplaced), misplaced},
		"a name of another endpoint":    {asAForm, more("token", misplaced), misplaced},
		"our own under any name":        {asAForm, more("x", string(ours)), string(ours)},
		"our own for the grant's scope": {asAForm, more("scope", string(ours)), string(ours)},
		"our own beside a scope":        {asAForm, more("scope", "read "+string(ours)), string(ours)},
		"our own with its line's end":   {asAForm, more("x", string(ours)+"\n"), string(ours)},
		"our own in an address":         {asAForm, more("redirect_uri", "https://partner.test/cb?s="+string(ours)), string(ours)},
		"our own for the grant":         {asAForm, formBody("grant_type", "authorization_code="+string(ours), "client_id", "p-standard"), string(ours)},
	} {
		last = Seen{}
		b.send("POST /oauth/token", r.header, r.body)
		if last.Sent == "" {
			t.Errorf("%s: nothing is shown of it: %+v", name, last)
		}
		if strings.Contains(last.Sent, r.secret[:8]) && name != "a name of another endpoint" || strings.Contains(last.Sent, r.secret[:12]) {
			t.Errorf("%s: it shows the secret:\n%s", name, last.Sent)
		}
		if strings.Contains(last.Grant, r.secret[:8]) {
			t.Errorf("%s: the grant shows the secret: %s", name, last.Grant)
		}
	}
}

// A secret that was sent as the client_id names no app, whatever else is wrong.
func TestASecretNamesNoApp(t *testing.T) {
	b := newBench(t, builtin(t, "standard"))
	seen := 0
	b.Seen = func(_ context.Context, s Seen) {
		if seen++; s.AppID != "" || s.Sent != "" {
			t.Errorf("it names the app %q: %s", s.AppID, s.Sent)
		}
	}
	secret, err := postern.ClientSecretForm.Mint(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b.send("POST /oauth/token", asAForm, formBody("grant_type", "authorization_code", "client_id", string(secret), "client_secret", "p-standard"))
	b.send("POST /oauth/token", asAForm, formBody("grant_type", "authorization_code", "code", "x", "client_id", string(secret), "client_secret", "p-standard"))
	if seen != 2 {
		t.Errorf("%d requests were seen", seen)
	}
}

// A stranger's words take little room in a log, whatever they stand for.
func TestWhatIsShownOfARequestIsBounded(t *testing.T) {
	b := newBench(t, builtin(t, "standard"))
	var last Seen
	b.Seen = func(_ context.Context, s Seen) { last = s }
	b.send("POST /oauth/token", asAForm, formBody("client_id", "p-standard", "client_secret", secretText, "grant_type", strings.Repeat("g\n", 10_000)))
	if last.AppID != "p-standard" || len(last.Grant) > 300 || strings.Contains(last.Grant, "\n") {
		t.Errorf("of the app %q it keeps a grant of %d bytes", last.AppID, len(last.Grant))
	}
	if len(last.Sent) > 4000 {
		t.Errorf("it keeps %d bytes of what was sent", len(last.Sent))
	}
}
