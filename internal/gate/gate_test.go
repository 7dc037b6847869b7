package gate_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

func ask(t *testing.T, s *posterntest.Postern, method, path, authorization string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, s.Internal+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	req.Header.Set("X-Postern-Account", "forged")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), resp.Header
}

func TestRS14_ACheckDecidesAlikeColdAndWarm(t *testing.T) {
	s := posterntest.New(t)
	token := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token")
	header := "Bearer " + token
	for range 2 {
		for path, want := range map[string]int{
			"/check": 200, "/check?scope=candidates.read": 200, "/check?scope=no.such": 403, "/check?scope=candidates.read+no.such": 403,
			"/check?account=another": 403, "/check?dialect=standard": 200, "/check?dialect=xeebo": 401,
			"/check?scoop=no.such": 400, "/check?dialect=nope": 400, "/check?scope=a&scope=b": 400, "/check?access_token=" + token: 401,
			"/check/envoy/v1/things": 200, "/check/envoy/v1/things?scoop=1&page=2": 200,
			"/check/": 404, "//check": 404, "/./check": 404, "/check;x": 404, "/%63heck": 404, "/check%00": 404, "/CHECK": 404, "/checks": 404,
		} {
			if status, body, _ := ask(t, s, "GET", path, header); status != want {
				t.Errorf("%s: %d, want %d: %s", path, status, want, body)
			}
		}
		if status, _, h := ask(t, s, "POST", "/check", header); status != 405 || h.Get("Allow") == "" {
			t.Errorf("POST /check: %d", status)
		}
		if status, _, _ := ask(t, s, "DELETE", "/check/envoy/v1/things", header); status != 200 {
			t.Errorf("DELETE behind Envoy: %d", status)
		}
	}
}

func TestRS07_WhoIsCallingComesFromTheRowsAlone(t *testing.T) {
	s := posterntest.New(t)
	token := s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Ada)).OK().Field("access_token")
	status, body, h := ask(t, s, "GET", "/check", "Token "+token)
	if status != 200 || body != "" || h.Get("X-Postern-App") != posterntest.Xref.ID || h.Get("X-Postern-Account") == "forged" || h.Get("X-Postern-Account") == "" {
		t.Fatalf("%d %q %v", status, body, h)
	}
	for _, name := range []string{"X-Postern-User", "X-Postern-Scopes", "X-Postern-Connection"} {
		if _, there := h[name]; !there {
			t.Errorf("%s is not set, so a caller's own could survive", name)
		}
	}
}

func TestARefusalIsInTheWordsOfTheDialectItWasMeantFor(t *testing.T) {
	s := posterntest.New(t)
	for authorization, realm := range map[string]string{"": "standard", "Bearer garbage": "standard", "Token garbage": "xref", "Digest x": "standard"} {
		status, body, h := ask(t, s, "GET", "/check", authorization)
		if status != 401 || !strings.Contains(h.Get("WWW-Authenticate"), `realm="`+realm+`"`) || !strings.Contains(body, "invalid_token") {
			t.Errorf("%q: %d %s %v", authorization, status, body, h)
		}
	}
}

func TestTheStreamTellsOfARevocation(t *testing.T) {
	s := posterntest.New(t)
	token := s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Ada)).OK().Field("access_token")
	if resp, err := http.Get(s.Internal + "/changes"); err != nil || resp.StatusCode != 401 {
		t.Fatalf("without credentials: %v %v", resp, err)
	}
	req, err := http.NewRequest("GET", s.Internal+"/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(posterntest.APIID, posterntest.APISecret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	timeout := time.AfterFunc(10*time.Second, func() { resp.Body.Close() })
	defer timeout.Stop()
	lines := bufio.NewScanner(resp.Body)
	revoked := false
	for lines.Scan() {
		if !revoked { // the stream speaks, so what comes now will be told
			s.Revoke(posterntest.Xref, token)
			revoked = true
		}
		if strings.Contains(lines.Text(), `"kind":"connection"`) {
			return
		}
	}
	t.Fatal("the stream ended without the news")
}

func TestRS04_ATokenInTheHeaderAndInTheFormIsRefusedInEveryDialect(t *testing.T) {
	s := posterntest.New(t)
	for _, app := range posterntest.Apps {
		token := s.Redeem(app, s.Approve(app, posterntest.Ada)).OK().Field("access_token")
		header := map[string]string{"xref": "Token " + token, "xeebo": "Bearer " + posterntest.Base64(token), "standard": "Bearer " + token}[app.Dialect]
		for name, c := range map[string]struct {
			body string
			want int
		}{
			"a token in the form": {"access_token=x", 401}, "an innocent form": {"a=b", 200}, "a large one": {strings.Repeat("a=b&", 20_000), 200},
		} {
			for range 2 {
				req, err := http.NewRequest("POST", s.Internal+"/check/envoy/v1", strings.NewReader(c.body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", header)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatalf("%s, %s: %v", app.Dialect, name, err)
				}
				resp.Body.Close()
				if resp.StatusCode != c.want {
					t.Errorf("%s, %s: %d, want %d", app.Dialect, name, resp.StatusCode, c.want)
				}
			}
		}
	}
}

func TestGuessingAtAnAPIsSecretIsSlowedDown(t *testing.T) {
	s := posterntest.New(t)
	last := 0
	for range 31 {
		req, err := http.NewRequest("GET", s.Internal+"/changes", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(posterntest.APIID, "wrong")
		req.Close = true // another port each time
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		last = resp.StatusCode
	}
	if last != 429 {
		t.Fatalf("the 31st guess is answered %d", last)
	}
}
