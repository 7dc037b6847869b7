package dialect

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

const someOrigin = "https://connect.example"

func TestEveryGuideIsWhole(t *testing.T) {
	for _, name := range Builtin() {
		d, err := Library{}.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		got, page := d.Guide(English, someOrigin), d.GuideHTML(English, someOrigin, Look{Name: "A & B", Icon: "data:image/png;base64,AA=="})
		for _, bad := range []string{"%!", "Zq", "qZ", "<nil>"} {
			if strings.Contains(got, bad) || strings.Contains(strings.ReplaceAll(page, "&lt;nil", ""), bad) {
				t.Errorf("%s: the guide has %q", name, bad)
			}
		}
		if strings.Count(got, "```")%2 != 0 {
			t.Errorf("%s: a code block is not closed", name)
		}
		for _, bad := range []string{"<script", "src=\"http", "@import", "url(http"} {
			if strings.Contains(page, bad) {
				t.Errorf("%s: the page has %s", name, bad)
			}
		}
		goes := ""
		for _, s := range goTongue.write(goTongue, d.steps(someOrigin)) {
			goes += s.text + "\n\n"
		}
		if _, err := parser.ParseFile(token.NewFileSet(), name+".go", goes, 0); err != nil {
			t.Errorf("%s: the Go program: %v\n%s", name, err, goes)
		}
	}
}

// A wire of one's own: credentials in headers, state renamed, the tenant in the
// path, a kept parameter.
const homeWire = `
language: 1
name: home
tenant: account.handle
tokens: {access: {expires: 1h}, refresh: {rotate: always}}
keep: {region: query region}
authorize:
  at: GET /t/{tenant}/connect
  read: {client_id: query app, state: query nonce}
  callback: {allowed: {ticket: $code, nonce: $state}, failed: {why: $error, nonce: $state}}
token:
  at: POST /t/{tenant}/tokens
  accepts: [json]
  read: {client_id: header X-App-Id, client_secret: header X-App-Secret, code: body ticket}
  answer: {token: {value: $access_token, again: $refresh_token.base64}}
api: {read: {access_token: header X-Token as base64}}
revoke: {at: "DELETE /tokens/{token}", read: {client_id: header X-App-Id, client_secret: header X-App-Secret, token: path token}}
insecure_token_in_url: {because: the old server has it so}
`

func TestAGuideShowsFormsAsForms(t *testing.T) {
	d, err := Library{}.Compile("forms.yaml", []byte(`
language: 1
name: forms
tokens: {access: {expires: 1h}, refresh: none}
token:
  at: POST /tokens
  answer: {type: form, body: {ok: "true", token: $access_token, until: $expires_at.rfc3339, seconds: $expires_in}}
  errors: {status: 200, body: {ok: "false", error: $error, status: $status}}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := d.Guide(English, someOrigin)
	for _, want := range []string{"\nok=true&token=ACCESS_TOKEN&until=EXPIRES_AT&seconds=EXPIRES_IN\n", "\nok=false&error=ERROR&status=STATUS\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the guide lacks %s", want)
		}
	}
}

func TestAGuideTellsTheAccountInASecondAddress(t *testing.T) {
	d, err := Library{}.Builtin("hubspot")
	if err != nil {
		t.Fatal(err)
	}
	got := d.Guide(English, someOrigin)
	for _, want := range []string{
		"| the Connect link | `GET https://connect.example/oauth/authorize` or `GET https://connect.example/oauth/{tenant}/authorize` |",
		"A link may name the account, by its number with us, where an address above has `{tenant}`",
		"| what a refresh token stands for | `GET https://connect.example/oauth/v1/refresh-tokens/{token}` |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the guide lacks %s", want)
		}
	}
}

func TestAGuideSaysWhatAnOddWireWants(t *testing.T) {
	d, err := Library{}.Compile("home.yaml", []byte(homeWire))
	if err != nil {
		t.Fatal(err)
	}
	got := d.Guide(English, someOrigin)
	for _, want := range []string{
		"https://connect.example/t/TENANT/connect?app=CLIENT_ID&response_type=code&redirect_uri=REDIRECT_URL&scope=SCOPES&nonce=STATE",
		"REDIRECT_URL?ticket=CODE&nonce=STATE\nREDIRECT_URL?why=ERROR&nonce=STATE",
		"Compare `nonce` with the one that you sent",
		"| `tenant` | address | it is a part of the address |",
		"`TENANT` is the account that is to be connected, by its handle with us",
		"| `region` | query | fine; what you send is kept with the connection |",
		"| `scope` | body | the scopes that were granted stay; you may name fewer, never more |",
		"| `X-App-Id` | header | the request is refused |",
		"curl -X POST \"https://connect.example/t/${TENANT}/tokens\" \\\n  -H \"X-App-Id: ${CLIENT_ID}\" \\\n  -H \"X-App-Secret: ${CLIENT_SECRET}\" \\\n" +
			"  -H \"Content-Type: application/json\" \\\n  -d @- <<JSON\n{\"grant_type\": \"authorization_code\", \"ticket\": \"${CODE}\", \"redirect_uri\": \"${REDIRECT_URL}\"",
		"-H \"X-Token: $(printf %s \"$ACCESS_TOKEN\" | base64 | tr -d '\\n')\"",
		"const accessToken = said?.token?.value;", "Buffer.from(said?.token?.again ?? \"\", \"base64\").toString()",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the guide lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// The page of webhooks has the snippets that its own test runs.
func TestTheGuideVerifiesWebhooksAsTheirPageDoes(t *testing.T) {
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verifiers {
		if !strings.Contains(string(page), "```"+v.fence+"\n"+v.text+"\n```") {
			t.Errorf("docs/webhooks.md has another snippet for %s", v.title)
		}
	}
}

// A guide says of each parameter what it is for, and of each value what it is like.
func TestAGuideTellsWhatItsReaderCannotGuess(t *testing.T) {
	for name, d := range everyWire(t) {
		got := d.Guide(English, someOrigin)
		for _, bad := range []string{"| fine |", `"TOKEN_TYPE"`, `"exp": 3600`, `"iat": 3600`} {
			if strings.Contains(got, bad) {
				t.Errorf("%s: the guide has %q", name, bad)
			}
		}
	}
	for _, want := range []string{`"token_type": "Bearer"`, `"exp": 1795551982`, "| `prompt` | query | fine; `login` asks", "| `login_hint` | query | fine; an e-mail"} {
		if got := everyWire(t)["standard"].Guide(English, someOrigin); !strings.Contains(got, want) {
			t.Errorf("the guide lacks %q:\n%s", want, got)
		}
	}
}

// A language's button has tabs all over the page for labels, and one name.
func TestALanguagesButtonIsNamedOnce(t *testing.T) {
	html := everyWire(t)["standard"].GuideHTML(English, someOrigin, Look{})
	for _, l := range tongues {
		if strings.Count(html, `<label for="in-`+l.id+`"`) < 2 || !strings.Contains(html, `id="in-`+l.id+`" aria-label="`+l.title+`"`) {
			t.Errorf("the button for %s is named by each of its labels", l.title)
		}
	}
}

func TestPagesEscapeWhatTheySay(t *testing.T) {
	p := &page{in: English, title: "<T>"}
	p.heading("a & b")
	p.say("`<x>` **bold** [link](https://a.test/?a=1&b=2) <script>")
	p.points("one")
	p.table([][]string{{"a|b", "<c>"}}, "x", "y")
	p.code("", "</code>")
	got := p.html(Look{Name: "<N>", Style: "</style>"})
	for _, want := range []string{"<title>&lt;T&gt; · &lt;N&gt;</title>", "<code>&lt;x&gt;</code> <strong>bold</strong>",
		`<a href="https://a.test/?a=1&amp;b=2" rel="noopener noreferrer">link</a> &lt;script&gt;`, "&lt;/code&gt;", `<\/style>`, "<li>one</li>", "&lt;c&gt;"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks %s\n%s", want, got)
		}
	}
	if md := p.markdown(); !strings.Contains(md, `| a\|b | <c> |`) {
		t.Error(md)
	}
}

// Where a refusal's body has no word, the guide tells of none.
func TestAGuideNamesNoWordThatTheWireDoesNotSay(t *testing.T) {
	d, err := Library{}.Compile("mute.yaml", []byte("language: 1\nname: mute\napi: {errors: {body: {message: Bad credentials}}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, errors, _ := strings.Cut(d.Guide(English, someOrigin), "\n## Errors\n")
	token, api, _ := strings.Cut(errors, "In calls to the API:")
	if !strings.Contains(token, "| 401 | `invalid_client` |") {
		t.Errorf("the token endpoint's refusals have words:\n%s", token)
	}
	if strings.Contains(api, "`invalid_token`") || !strings.Contains(api, "| 403 | the token lacks a scope |") {
		t.Errorf("the API's have none:\n%s", api)
	}
}
