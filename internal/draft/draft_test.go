package draft

import (
	"slices"
	"strings"
	"testing"

	"postern.dev/postern/internal/dialect"
)

// passes wants a file without any finding, not even advice.
func passes(t *testing.T, a Answers) string {
	t.Helper()
	text, err := Write(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range dialect.Check("acme.yaml", []byte(text), nil) {
		t.Errorf("%s\n%s", f, text)
	}
	return text
}

// Whatever is answered, the file passes its check.
func TestEveryDraftPassesItsCheck(t *testing.T) {
	tried := 0
	for _, refresh := range []string{"", "none", "https://api.acme.test/oauth/refresh"} {
		for _, revoke := range []string{"", "/oauth/revoke"} {
			for _, separator := range []string{"space", "comma", "none", "+"} {
				for _, auth := range []string{"basic", "body", "either"} {
					for _, body := range []string{"form", "json"} {
						for _, place := range []string{"Bearer", "Token", "header X-Token", "query token", "basic user"} {
							tried++
							passes(t, Answers{Name: "acme", Authorize: "https://login.acme.test/oauth/authorize", Token: "https://api.acme.test/oauth/token",
								Refresh: refresh, Revoke: revoke, ScopeSeparator: separator, ClientAuth: auth, Body: body, TokenPlace: place,
								Members: []string{"team_id=$account.id", "kind=live", "who"}})
						}
					}
				}
			}
		}
	}
	if tried < 700 {
		t.Errorf("only %d drafts", tried)
	}
}

func TestADraftSaysWhatWasAnswered(t *testing.T) {
	text := passes(t, Answers{Name: "acme", Authorize: "https://login.acme.test/open/{client_id}", Token: "https://api.acme.test/t", Refresh: "none", Revoke: "/end",
		ScopeSeparator: "comma", ClientAuth: "body", Body: "json", TokenPlace: "Token", Level: "account", Members: []string{"team_id=$account.id", "who"}})
	for _, want := range []string{"at: GET /open/{client_id}", "at: POST /t", "accepts: [json]", "client_id: body client_id", `join: ","`, "scheme Token",
		"at: POST /end", "expires: never", "team_id: $account.id", "also says who.", "level: account", "# hosts: {login: login.acme.test, api: api.acme.test}"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nis not in\n%s", want, text)
		}
	}
}

func TestWhatIsNoAnswerIsToldWithWhatWouldBe(t *testing.T) {
	good := Answers{Name: "acme", Authorize: "/a", Token: "/t"}
	for want, spoil := range map[string]func(*Answers){
		`name "Acme"`:              func(a *Answers) { a.Name = "Acme" },
		`authorize "acme"`:         func(a *Answers) { a.Authorize = "acme" },
		`token "/t/${sub}"`:        func(a *Answers) { a.Token = "/t/${sub}" },
		`client-auth "jwt"`:        func(a *Answers) { a.ClientAuth = "jwt" },
		`body "xml"`:               func(a *Answers) { a.Body = "xml" },
		`level "team"`:             func(a *Answers) { a.Level = "team" },
		`scope-separator "comas"`:  func(a *Answers) { a.ScopeSeparator = "comas" },
		`token-place "cookie sid"`: func(a *Answers) { a.TokenPlace = "cookie sid" },
		`member "a=\""`:            func(a *Answers) { a.Members = []string{`a="`} },
	} {
		a := good
		spoil(&a)
		if _, err := Write(a); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if missing := (&Answers{Token: "/t"}).Missing(); !slices.Equal(missing, []string{"name", "authorize"}) {
		t.Errorf("missing: %v", missing)
	}
}

func TestAnEntryOfACatalogueIsRead(t *testing.T) {
	a, err := ReadEntry("entry.yaml", []byte(`acme:
  display_name: Acme
  authorization_url: https://login.acme.test/oauth/authorize
  token_url: https://api.acme.test/oauth/token
  scope_separator: ','
  token_request_auth_method: basic
  body_format: json
  token_response_metadata: [team.id]
  members: {kind: live}
`))
	if err != nil || a.Name != "acme" || a.ScopeSeparator != "," || a.ClientAuth != "basic" || a.Body != "json" || !slices.Equal(a.Members, []string{"team.id", "kind=live"}) {
		t.Errorf("got %+v, %v", a, err)
	}
	if text := passes(t, *a); !strings.Contains(text, "also says team.id.") || !strings.Contains(text, "#   display_name\n") {
		t.Errorf("got\n%s", text)
	}
	a, err = ReadEntry("entry.json", []byte(`{"name":"acme","authorizeURL":"https://login.acme.test/a","token_url":"/t","client_auth":"client_secret_post","extra_members":{"kind":"live"},"docs":"x"}`))
	if err != nil || a.ClientAuth != "body" || a.Name != "acme" || !slices.Equal(a.Members, []string{"kind=live"}) || !slices.Equal(a.Ignored, []string{"docs"}) {
		t.Errorf("got %+v, %v", a, err)
	}
	passes(t, *a)
	for _, bad := range []string{"", "[]", "a: [", "authorize: []", "members: x", "members: [[x]]", "{token: /a, members: {x: []}}", "{token: /a, token_url: /b}"} {
		if _, err := ReadEntry("entry.yaml", []byte(bad)); err == nil {
			t.Errorf("%q is taken for an entry", bad)
		}
	}
}

// Whatever an entry says, it is refused in words, or its draft passes.
func FuzzDraft(f *testing.F) {
	f.Add("acme", "https://a.test/x", "/t", "same", "/r", ",", "Token", "a=$account.id")
	f.Add("a", "/{client_id}", "/t", "none", "none", "none", "query x", "a=b c")
	f.Fuzz(func(t *testing.T, name, authorize, token, refresh, revoke, separator, place, member string) {
		text, err := Write(Answers{Name: name, Authorize: authorize, Token: token, Refresh: refresh, Revoke: revoke, ScopeSeparator: separator, TokenPlace: place, Members: []string{member}})
		if err != nil {
			return
		}
		for _, finding := range dialect.Check("f.yaml", []byte(text), nil) {
			if strings.Contains(finding.Msg, "[E03]") || strings.Contains(member, "$") { // two addresses that are one, and a value that is none
				continue
			}
			t.Errorf("%s\n%s", finding, text)
		}
	})
}

func FuzzReadEntry(f *testing.F) {
	f.Add([]byte("acme: {authorization_url: /a, token_url: /t, members: [a, b=c]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if a, err := ReadEntry("f.yaml", data); err == nil {
			a.Missing()
		}
	})
}
