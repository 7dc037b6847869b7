package transcript

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const connect = `# From the authorize link to the token.
@app client_id=partner-x client_secret=s3cret-s3cret redirect_uri=https://p.example/cb
@user ada of Acme Inc role=member account.attr.plan="very big"
> GET /oauth/open-api/partner-x?state=S1
@allow account=Acme
< 302
< Location: https://p.example/cb?state=S1&code={{code}}

@wait 5m1s
@loose
@times 50
> POST /oauth/tokens
> Content-Type: application/json
>
> {"client_id":"partner-x","client_secret":"s3cret-s3cret",
>  "code":"{{code}}"}
@times 1
< 200
<
< {"access_token":"{{token ~ /[0-9a-f]{40}/}}","xref_account_id":"{{account ~ /[0-9a-f]{32}/}}"}
# the others
< 400
<
@restart
`

func TestATranscriptIsReadLineByLine(t *testing.T) {
	got, err := Parse("connect.txt", []byte(connect))
	if err != nil {
		t.Fatal(err)
	}
	user := got.Steps[2].(*User)
	if user.Name != "ada" || user.Account != "Acme Inc" || Get(user.Settings, "role") != "member" || Get(user.Settings, "account.attr.plan") != "very big" {
		t.Errorf("the person is %+v", user)
	}
	ask := got.Steps[3].(*Exchange)
	if ask.Request.Method != "GET" || ask.Request.Target.String() != "/oauth/open-api/partner-x?state=S1" || ask.Asked != Allow || ask.Account != "Acme" {
		t.Errorf("the question is %+v", ask)
	}
	if a := ask.Answers[0]; a.Status != 302 || a.Header[0].Name != "Location" || a.Header[0].Line != 7 || a.Body != nil {
		t.Errorf("its answer is %+v", a)
	}
	if w := got.Steps[4].(*Wait); w.For != 301*time.Second {
		t.Errorf("the wait is %v", w.For)
	}
	redeem := got.Steps[6].(*Exchange)
	if redeem.Times != 50 || redeem.Request.Body.Line != 15 || !strings.Contains(redeem.Request.Body.Text.String(), "cret\",\n \"code\"") {
		t.Errorf("the request is %+v, its body %q", redeem, redeem.Request.Body.Text)
	}
	if a := redeem.Answers; a[0].Least != 1 || a[0].Most != 1 || a[1].Least != 1 || a[1].Most != 0 || a[1].Body == nil || len(a[1].Body.Text) != 0 || a[0].Body.Line != 20 {
		t.Errorf("the answers are %+v %+v", a[0], a[1])
	}
	straight, err := Parse("f.txt", []byte("> POST /a\n>\n> body\n< 200\n<\n< answer"))
	if err != nil {
		t.Fatal(err)
	}
	if x := straight.Steps[0].(*Exchange); x.Request.Body.Text.String() != "body" || x.Answers[0].Body.Text.String() != "answer" {
		t.Errorf("bodies are %q and %q", x.Request.Body.Text, x.Answers[0].Body.Text)
	}
	if _, ok := got.Steps[len(got.Steps)-1].(*Restart); !ok || got.Exchanges() != 2 || len(got.Apps()) != 1 {
		t.Errorf("%d steps, %d exchanges", len(got.Steps), got.Exchanges())
	}
}

func TestWhatIsPrintedIsReadAgain(t *testing.T) {
	first, err := Parse("connect.txt", []byte(connect))
	if err != nil {
		t.Fatal(err)
	}
	isSame(t, first)
}

// isSame prints and reads until nothing changes: at once.
func isSame(t *testing.T, first *Transcript) {
	t.Helper()
	again, err := Parse(first.File, []byte(first.String()))
	if err != nil {
		t.Fatalf("%v\nof\n%s", err, first)
	}
	if again.String() != first.String() {
		t.Errorf("printed:\n%s\nread and printed again:\n%s", first, again)
	}
	kinds := func(x *Transcript) (all []string) {
		for _, s := range x.Steps {
			if _, comment := s.(*Comment); !comment {
				all = append(all, reflect.TypeOf(s).String())
			}
		}
		return all
	}
	if a, b := kinds(first), kinds(again); !reflect.DeepEqual(a, b) {
		t.Errorf("the steps %v became %v", a, b)
	}
}

// Every way to write it wrong, and the line that tells.
func TestMistakesAreToldWithTheirLine(t *testing.T) {
	const ask = "@app client_id=x\n> GET /a\n" // and nobody to answer
	for text, want := range map[string]string{
		"hello":                    `f.txt:1: a line begins with`,
		">GET /a":                  `f.txt:1: write a space after >`,
		"> get /a\n< 200":          `f.txt:1: a request begins with a method and a path`,
		"> GET a\n< 200":           `f.txt:1: a request begins with a method and a path`,
		"< 200":                    `f.txt:1: an answer follows a request`,
		"> GET /a":                 `f.txt:1: this request has no answer`,
		"> GET /a\n< ok":           `f.txt:2: an answer begins with its status`,
		"> GET /a\n> {}\n< 200":    `f.txt:2: "{}" is no header; a body stands below an empty line`,
		"> GET /a\n< 200\n\n< 200": `f.txt:4: a request has one answer`,
		"> GET /{{code}}\n< 200":   `f.txt:1: {{code}} is not known here`,
		"> GET /a\n< 200\n<\n< {{code}}\n> GET /{{cod}}\n< 200": `f.txt:5: {{cod}} is not known here: no answer before it has that name; did you mean "code"?`,
		"> GET /a\n<  200\n< X: {{a ~ [a-z]}}":                  `f.txt:3: {{a ~ …: the expression stands between slashes`,
		"> GET /a\n< 200\n< X: {{a ~ /[/}}":                     `f.txt:3: {{a ~ /[/}}: error parsing regexp`,
		"> GET /a\n< 200\n< X: {{a ~ /x}}":                      `f.txt:3: {{a ~ /…: the expression does not end`,
		"> GET /a\n< 200\n< X: {{a":                             `f.txt:3: {{a is not closed`,
		"> GET /a\n< 200\n< X: {{a as hex}}":                    `f.txt:3: {{a as hex}}: there is base64, base64url and basic`,
		"> GET /{{issuer ~ /x/}}\n< 200":                        `f.txt:1: {{issuer ~ …}} describes an answer`,
		"@allow":                                                `f.txt:1: @allow stands between a request and its answer`,
		ask + "< 302\n@deny":                                    `f.txt:4: @deny stands between a request and its answer`,
		ask + "@allow\n@deny\n< 302":                            `f.txt:4: a question is answered once`,
		ask + "@wait 3s\n< 302":                                 `f.txt:3: @wait stands between a request and its answer`,
		ask + "@allow acount=x\n< 302":                          `f.txt:3: unknown setting "acount"; did you mean "account"?`,
		"@times 3\n" + ask + "@allow\n< 302":                    `f.txt:3: a person answers once`,
		ask + "@allow\n< 302":                                   `f.txt:3: nobody sits at the browser`,
		"@wait":                                                 `f.txt:1: @wait needs a duration`,
		"@wait soon":                                            `f.txt:1: @wait needs a duration`,
		"@restart now":                                          `f.txt:1: @restart stands alone`,
		"@alow":                                                 `f.txt:1: there is no @alow; did you mean "allow"?`,
		"@times":                                                `f.txt:1: @times needs a number`,
		"@times 0\n> GET /a\n< 200":                             `f.txt:1: @times 0 is nothing`,
		"@times 2-3\n> GET /a\n< 200":                           `f.txt:2: @times before a request is one number`,
		"@times 2":                                              `f.txt:1: @times at the end counts nothing`,
		"@times 2\n> GET /a\n@times 3\n< 200":                   `f.txt:2: 3 answers are listed at least, and the request is sent 2 times`,
		"@times 3\n> GET /a\n@times 2\n< 200":                   `f.txt:2: the request is sent 3 times, and 2 answers are listed at most`,
		"@app":                                                  `f.txt:1: @app needs a client_id`,
		"@app client_id=x secret=y":                             `f.txt:1: unknown setting "secret"`,
		"@app client_id=x client_id=y":                          `f.txt:1: client_id is given twice`,
		"@app client_id=x nonsense":                             `f.txt:1: "nonsense" is no setting`,
		"@user ada":                                             `f.txt:1: @user needs a name and an account`,
		"@user ada of Acme rol=admin":                           `f.txt:1: unknown setting "rol"; did you mean "role"?`,
	} {
		_, err := Parse("f.txt", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives\n%v\nwant\n%s", text, err, want)
		}
	}
}

func TestAllMistakesAreToldAtOnce(t *testing.T) {
	_, err := Parse("f.txt", []byte("@wait\nx\n< 200\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got\n%v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(connect))
	f.Add([]byte("@times 2\n> GET /a\n< 200\n<\n< {{{{x}} {{a}} {{{b}}} {{b ~ /x\\/}/}}\n\n< 400\n"))
	f.Add([]byte("> GET /a HTTP/1.1\r\n< HTTP/1.1 200 OK\r\n< X:\r\n"))
	f.Add([]byte("@app client_id=\"a b\" attr.x=\"\\\"\" redirect_uri=a redirect_uri=b\n@user a@b of c of d"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := Parse("f.txt", data)
		if err == nil {
			isSame(t, read)
		}
	})
}
