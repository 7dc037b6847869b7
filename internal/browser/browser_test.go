package browser

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern"
)

func TestCookiesOverHTTPHaveNoPrefix(t *testing.T) {
	if names := CookiesFor(false, ""); names.Browser != "postern_browser" || names.secure {
		t.Errorf("over http: %+v", names)
	}
}

func TestDoorsHaveSessionsOfTheirOwn(t *testing.T) {
	people, partners := CookiesFor(true, ""), CookiesFor(true, "portal")
	if people.Session == partners.Session || people.Device == partners.Device {
		t.Errorf("%+v and %+v share a session", people, partners)
	}
	if people.Browser != partners.Browser {
		t.Error("forms of two doors are bound to two cookies")
	}
}

func FuzzFormToken(f *testing.F) {
	const bound, answer = postern.Secret("browser"), Purpose("answer")
	good := FormToken(bound, answer, "ticket", "session")
	for _, seed := range []string{"", good[:42], good + "=", "\x00", strings.Repeat("A", 43), good} {
		f.Add(seed, "ticket", "session")
	}
	f.Fuzz(func(t *testing.T, sent, first, second string) {
		matches := tokenMatches(sent, bound, answer, first, second)
		if sent == good && matches != (first == "ticket" && second == "session") {
			t.Errorf("for %q and %q the token matches: %v", first, second, matches)
		}
		if moved := FormToken(bound, answer, first+second); moved == FormToken(bound, answer, first, second) {
			t.Error("two lists of parts read the same")
		}
	})
}

func TestABrowserWithoutACookieCanSendNoForm(t *testing.T) {
	c := CookiesFor(true, "")
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(url.Values{TokenField: {FormToken("", "answer")}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := ReadForm(r); err != nil {
		t.Fatal(err)
	}
	if err := c.Proved(r, "answer"); !postern.Is(err, postern.Forbidden) {
		t.Errorf("got %v", err)
	}
}
