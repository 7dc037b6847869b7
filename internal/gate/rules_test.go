package gate_test

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/routes"
)

func TestTheRulesAreToldToAPIsAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte("default: any_token\nroutes: [{route: \"GET /jobs\", scopes: [jobs.read]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := posterntest.New(t, posterntest.Set("routes", file))
	for secret, want := range map[string]int{posterntest.APISecret: 200, "wrong": 401} {
		status, body := tell(t, "GET", s.Internal+"/routes", secret)
		if status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
		var list routes.List
		if want == 200 && (json.Unmarshal([]byte(body), &list) != nil || !list.AnyToken || len(list.Rules) != 1 || list.Rules[0].Route != "GET /jobs") {
			t.Errorf("the rules are %s", body)
		}
	}
	if status, _ := tell(t, "POST", s.Internal+"/routes", posterntest.APISecret); status != 405 {
		t.Errorf("POST: %d", status)
	}
	if status, _ := tell(t, "GET", s.URL+"/routes", posterntest.APISecret); status != 404 {
		t.Errorf("on the public listener: %d", status)
	}
	none := posterntest.New(t)
	if status, body := tell(t, "GET", none.Internal+"/routes", posterntest.APISecret); status != 404 || !strings.Contains(body, "no rules") {
		t.Errorf("without rules: %d %s", status, body)
	}
}

func tell(t *testing.T, method, address, secret string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(posterntest.APIID, secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// What goes wrong on a gateway's side is told to its operator.
func TestAGatewayThatIsSetUpWronglyIsLogged(t *testing.T) {
	s := posterntest.New(t)
	token := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token")
	for path, problem := range map[string]string{
		"/check?scoop=a": "scoop", "/check?call=original": "does not tell the call", "/check?call=x": "original or forwarded", "/check?routes=on": "the one value off",
		"/check/with/scop=a/envoy/v1": "scop", "/check/with/dialect=nope/envoy/v1": "nope",
	} {
		status, body, _ := ask(t, s, "GET", path, "Bearer "+token)
		if status != 400 || !strings.Contains(body, problem) || !strings.Contains(s.Log.String(), problem) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}
