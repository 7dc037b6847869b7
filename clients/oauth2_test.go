package clients

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"postern.dev/postern/internal/posterntest"
)

func goClients(t *testing.T) []client {
	t.Helper()
	version := moduleVersion(t, "golang.org/x/oauth2")
	var found []client
	for _, app := range posterntest.Apps {
		found = append(found, client{"golang.org/x/oauth2", version, app, runOAuth2})
	}
	return found
}

// moduleVersion reads go.mod: a test's build information has no modules.
func moduleVersion(t *testing.T, module string) string {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), module+" v")
	if !ok {
		t.Fatalf("go.mod does not name %s", module)
	}
	return strings.Fields(rest)[0]
}

// configs are what a partner writes down for each wire.
func config(s *posterntest.Postern, app posterntest.App) oauth2.Config {
	paths := map[string][2]string{
		"standard": {"/oauth/authorize", "/oauth/token"},
		"xeebo":    {"/xeebo/oauth/authorize", "/xeebo/oauth/token"},
		"xref":     {"/oauth/open-api/" + app.ID, "/oauth/tokens"},
		"github":   {"/github/login/oauth/authorize", "/github/login/oauth/access_token"},
	}[app.Dialect]
	c := oauth2.Config{ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURL,
		Endpoint: oauth2.Endpoint{AuthURL: s.URL + paths[0], TokenURL: s.URL + paths[1]}}
	switch app.Dialect {
	case "github":
		c.Scopes = []string{"repo", "read:user"}
	case "standard", "xeebo":
		c.Scopes = []string{"candidates.read", "jobs.read"}
	}
	return c
}

// wrongSecret is what each wire calls it.
var wrongSecret = map[string]string{"standard": "invalid_client", "xeebo": "invalid_client", "xref": "invalid_client",
	"github": "incorrect_client_credentials"}

func runOAuth2(t *testing.T, s *posterntest.Postern, c client, did func(string)) {
	ctx := context.Background()
	b := s.SignedIn(posterntest.Ada)
	styles := map[string]oauth2.AuthStyle{"auto-detect": oauth2.AuthStyleAutoDetect,
		"header": oauth2.AuthStyleInHeader, "params": oauth2.AuthStyleInParams}
	for _, name := range []string{"auto-detect", "header", "params"} {
		cfg := config(s, c.app)
		cfg.Endpoint.AuthStyle = styles[name]
		verifier := oauth2.GenerateVerifier()
		back := b.AllowAt(cfg.AuthCodeURL("the state", oauth2.S256ChallengeOption(verifier)))
		if back.Query.Get("state") != "the state" {
			t.Errorf("the state came back as %q", back.Query.Get("state"))
		}
		code := back.Query.Get("code")

		wrong := cfg
		wrong.ClientSecret = "wrong"
		_, err := wrong.Exchange(ctx, code, oauth2.VerifierOption(verifier))
		if e, ok := errors.AsType[*oauth2.RetrieveError](err); !ok || e.ErrorCode != wrongSecret[c.app.Dialect] {
			t.Errorf("%s: a wrong secret gave %v", name, err)
		}
		token, err := cfg.Exchange(ctx, code, oauth2.VerifierOption(verifier))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		did("code with PKCE after a wrong secret (" + name + ")")

		if token.RefreshToken != "" {
			token = refreshed(t, &cfg, token)
			did("refresh through TokenSource")
		}
		if call(t, s, c.app, token) {
			did("the test call")
		}
	}
}

// refreshed lets the client find its token too old.
func refreshed(t *testing.T, cfg *oauth2.Config, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	old := *token
	old.Expiry = time.Now().Add(-time.Minute)
	fresh, err := cfg.TokenSource(context.Background(), &old).Token()
	if err != nil {
		t.Fatal(err)
	}
	if fresh.AccessToken == token.AccessToken || fresh.RefreshToken == "" || !fresh.Valid() {
		t.Errorf("the refresh gave %v", fresh.Expiry)
	}
	return fresh
}

// call makes the dialect's test call, where it has one, with the client's own
// Authorization header.
func call(t *testing.T, s *posterntest.Postern, app posterntest.App, token *oauth2.Token) bool {
	t.Helper()
	path := ""
	switch app.Dialect {
	case "xref":
		path, token.TokenType = "/auth", "Token"
	case "github":
		path = "/github/user"
	case "xeebo":
		path, token.AccessToken = "/xeebo/oauth/me", posterntest.Base64(token.AccessToken)
	default:
		return false
	}
	r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := oauth2.NewClient(context.Background(), oauth2.StaticTokenSource(token)).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the test call gave %d", resp.StatusCode)
	}
	return true
}
