package replay

import (
	"context"
	"strings"
	"testing"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/transcript"
)

const xrefHead = `@app client_id=x client_secret=short redirect_uri=https://p.test/cb
@user ada of Acme
> GET /oauth/open-api/x?state=S
@allow
< 302
< Location: https://p.test/cb?state=S&code={{code}}
`

// played plays a transcript in a built-in dialect.
func played(t *testing.T, name, text string) *Report {
	t.Helper()
	read, err := transcript.Parse("f.txt", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	report, err := Play(context.Background(), read, Options{Dialect: config.Mount{Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// differs wants exactly one difference, that begins so and shows both sides.
func differs(t *testing.T, name, text, begins string, shows ...string) {
	t.Helper()
	r := played(t, name, text)
	if len(r.Differences) != 1 {
		t.Errorf("%d differences, want one:\n%v", len(r.Differences), r.Differences)
		return
	}
	said := r.Differences[0].String()
	if !strings.HasPrefix(said, begins) {
		t.Errorf("got  %s\nwant %s", said, begins)
	}
	for _, show := range shows {
		if !strings.Contains(said, show) {
			t.Errorf("%s\nis not in\n%s", show, said)
		}
	}
}

func TestEveryDifferenceIsToldWithItsPlaceAndBothSides(t *testing.T) {
	const redeem = "> POST /oauth/tokens\n> Content-Type: application/json\n>\n> {\"client_id\":\"x\",\"client_secret\":\"short\",\"code\":\"{{code}}\"}\n"
	const wrong = "> POST /oauth/tokens\n> Content-Type: application/json\n>\n> {}\n"
	for _, c := range []struct {
		text, begins string
		shows        []string
	}{
		{xrefHead + redeem + "< 201", "f.txt:11: status differs\n", []string{"want  201\n", "got   200", "access_token"}},
		{xrefHead + redeem + "< 200\n< Content-Type: text/html", "f.txt:12: header Content-Type differs\n", []string{"want  text/html\n", "got   application/json; charset=utf-8\n"}},
		{xrefHead + redeem + "< 200\n< X-Old: 1", "f.txt:12: header X-Old is missing\n", []string{"want  1\n", "got   (nothing)"}},
		{xrefHead + redeem + "< 200\n< Content-Type:", "f.txt:12: header Content-Type is to be absent\n", nil},
		{xrefHead + redeem + "< 200\n<\n< {\"access_token\":\"{{t ~ /[A-Z]+/}}\",\"xref_account_id\":\"{{a}}\"}", "f.txt:13: body differs at .access_token\n", []string{"{{t ~ /[A-Z]+/}}", "^ byte 18"}},
		{xrefHead + redeem + "< 200\n<\n< {\"access_token\":\"{{t}}\"}", "f.txt:13: body differs at .xref_account_id, which is not listed\n", nil},
		{xrefHead + redeem + "< 200\n<\n< {\"access_token\":\"{{t}}\",\"xref_account_id\":\"{{a}}\",\"b\":1}", "f.txt:13: body differs at .b, which is missing\n", nil},
		{xrefHead + redeem + "< 200\n<\n< {\"xref_account_id\":\"{{a}}\",\"access_token\":\"{{t}}\"}", "f.txt:13: body differs in its bytes (order, white space or escapes), not in its values\n", []string{"^ byte 3"}},
		{xrefHead + redeem + "< 200\n<\n< access_token={{t}}", "f.txt:13: body differs\n", []string{"^ byte 1"}},
		{xrefHead + wrong + "< 400\n<\n", "f.txt:13: body differs\n", []string{"want  (nothing)"}},
		{xrefHead + wrong + "< 400\n<\n< {\"error\":\"invalid_request\",\n<  \"error_description\":\"x\"}", "f.txt:13: body differs at .error_description\n", []string{`\n`}},
		{"@times 3\n" + wrong + "< 400\n\n< 401", "f.txt:8: this answer came 0 times of 3, and is to come at least 1 times", nil},
		{"@times 3\n" + wrong + "@times 1\n< 400\n@times 0-2\n< 401", "f.txt:2: 2 of 3 answers are none of those listed, or more than listed; the first of them\n", []string{"got   400"}},
	} {
		differs(t, "xref", c.text, c.begins, c.shows...)
	}
}

func TestAConversationGoesOnAfterADifference(t *testing.T) {
	r := played(t, "xref", xrefHead+`> POST /oauth/tokens
> Content-Type: application/json
>
> {"client_id":"x","client_secret":"short","code":"{{code}}"}
< 200
<
< {"access_token":"{{token ~ /[A-Z]{40}/}}","xref_account_id":"{{account}}"}
> GET /auth
> Authorization: Token {{token}}
< 200
> GET /auth?{{account}}
> Authorization: Token {{token}}
< 200
`)
	if len(r.Differences) != 2 || r.Exchanges != 4 {
		t.Fatalf("got %d differences in %d exchanges:\n%v", len(r.Differences), r.Exchanges, r.Differences)
	}
	if got := r.Differences[1].String(); got != "f.txt:17: not sent: the answers before did not tell {{account}}" {
		t.Errorf("got %s", got)
	}
}

func TestLooseBodiesAreComparedAsValues(t *testing.T) {
	const ask = "@loose\n@app client_id=x client_secret=short redirect_uri=https://p.test/cb\n> POST /oauth/tokens\n> Content-Type: application/json\n>\n> {}\n< 400\n<\n"
	if r := played(t, "xref", ask+"< { \"error_description\": \"The member \\\"{{which}}\\\" is missing.\",\n<   \"error\": {{any}} }\n> GET /{{which}}-{{any}}\n< 404"); len(r.Differences) != 0 {
		t.Error(r.Differences)
	}
	differs(t, "xref", ask+"< {\"error\":\"invalid_request\",\"error_description\":[1]}", "f.txt:9: body differs at .error_description\n")
	differs(t, "xref", ask+"< []", "f.txt:9: body differs at its top\n")
	differs(t, "xref", ask+"< no JSON", "f.txt:9: body differs\n")
}

// Who sits at the browser, which account is chosen, and what becomes of those
// who may not.
func TestPeopleAnswerAsTheTranscriptSays(t *testing.T) {
	r := played(t, "xref", `@app client_id=x client_secret=short redirect_uri=https://p.test/cb connect_roles=admin
@user ada of Acme account.id=acme
@user ada of Globex
> GET /oauth/open-api/x
@allow account=Globex
< 302
< Location: https://p.test/cb?code={{code}}
> POST /oauth/tokens
> Content-Type: application/json
>
> {"client_id":"x","client_secret":"{{client_secret}}","code":"{{code}}"}
< 200
<
< {"access_token":"{{_}}","xref_account_id":"{{globex}}"}
> GET /oauth/open-api/x
@allow account=acme
< 302
< Location: https://p.test/cb?code={{code2}}
> POST /oauth/tokens
> Content-Type: application/json
>
> {"client_id":"x","client_secret":"short","code":"{{code2}}"}
< 200
<
< {"access_token":"{{_}}","xref_account_id":"{{acme}}"}
@user bob of Acme role=member
> GET /oauth/open-api/x
@allow
< 200
< Content-Type: text/html; charset=utf-8
> GET /oauth/open-api/nobody
@allow
< 404
`)
	if len(r.Differences) != 0 {
		t.Error(r.Differences)
	}
}

func TestWhatCannotBeDeclaredIsToldAtItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"\n@app client_id=x client_secret=short redirect_uri=http://p.test/cb": "f.txt:2: ",
		"@user ada of Acme role=\"no\\u0000pe\"":                               "f.txt:1: ",
	} {
		read, err := transcript.Parse("f.txt", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Play(context.Background(), read, Options{Dialect: config.Mount{Name: "xref"}}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q gives %v, want %s", text, err, want)
		}
	}
}

// Whatever a listed body and an answer are, comparing them comes to an end, and
// bytes that are equal are.
func FuzzCompareBodies(f *testing.F) {
	f.Add(`{"a":"{{x}}","b":[1,{{y}}],"c":"x{{z ~ /[0-9]+/}}"}`, `{"a":"1","b":[1,{"d":null}],"c":"x12"}`, true)
	f.Add("{{x", "\xff", false)
	f.Add(`{"a":1,"a":2}`, `{"a":1.0}`, true)
	f.Fuzz(func(t *testing.T, listed, got string, loose bool) {
		text, err := transcript.ParseText(listed)
		if err != nil {
			return
		}
		compare := func(got string) []Difference {
			c := newComparison("f.txt", nil, loose)
			c.body(&transcript.Body{Line: 1, Text: text}, got)
			return c.found
		}
		for _, d := range compare(got) {
			_ = d.String()
		}
		if same, err := text.Fill(nil); err == nil && !loose && len(compare(same)) > 0 {
			t.Errorf("%q differs from itself: %v", same, compare(same))
		}
	})
}
