package postern_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

func TestFactsHoldNoSecretAndHaveAnEnd(t *testing.T) {
	e := postern.Because(postern.InvalidGrant, "code_expired", "No.").
		With("at", time.UnixMilli(1234)).With("code", postern.Secret("very secret")).
		With("long", strings.Repeat("é", 1000)).With("odd", "a\xffb").With("life", 90*time.Second).
		With("names", []string{"a", "b"}).With("count", 3).With("so", true)
	for name, want := range map[string]string{
		"at": "1234", "code": "11", "odd": "a\uFFFDb", "life": "90000", "names": "a b", "count": "3", "so": "true",
	} {
		if got := e.Why.Facts[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := e.Why.Facts["long"]; len(got) > 510 || !strings.HasSuffix(got, "é…") {
		t.Errorf("a long fact is %d bytes and ends in %q", len(got), got[len(got)-5:])
	}
	if strings.Contains(e.Error(), "code_expired") {
		t.Errorf("the error's own text tells the rule: %s", e)
	}
}

// A secret that was sent as a part of something else is no fact, either.
func TestI61AFactHoldsNoSecretOfOurs(t *testing.T) {
	for _, form := range []postern.Form{postern.ClientSecretForm, postern.OperatorForm, postern.APISecretForm} {
		secret, err := form.Mint(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		in := func(hidden string) string {
			return "https://partner.test/cb?a=" + hidden + "&b=" + form.Prefix + "&c=" + hidden
		}
		why := postern.Because(postern.InvalidRequest, "redirect_url_differs", "No.").With("sent", in(string(secret))).Why
		if got := why.Facts["sent"]; got != in("…") {
			t.Errorf("it says %s", got)
		}
	}
}

func TestAnErrorWithoutARuleConcernsNobody(t *testing.T) {
	e := postern.Errorf(postern.NotFound, "Nothing.")
	e.About("app", "acc", "con")
	if e.Why != nil {
		t.Errorf("it has come to have a reason: %+v", e.Why)
	}
}
