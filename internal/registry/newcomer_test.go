package registry

import (
	"strings"
	"testing"
)

// What a stranger types at the registration is mailed to whomever they name.
func TestNobodyComesWithAnAddressForAName(t *testing.T) { // LC-09
	rules := &Rules{}
	for name, want := range map[string]string{
		"Visit https://evil.test":         "web address",
		"HTTP://evil.test":                "web address",
		"www.evil.test":                   "web address",
		"You won: evil.test/prize":        "web address",
		"":                                "Write",
		"Part\u202ener":                   "U+202E",
		strings.Repeat("x", 65):           "has 65 characters",
		"a" + strings.Repeat("\u0310", 9): "accents",
	} {
		for _, found := range []Findings{rules.AboutCompany(name, "Ada", "ada@x.test"), rules.AboutCompany("Acme", name, "ada@x.test")} {
			if len(found) != 1 || !strings.Contains(found.Error(), want) {
				t.Errorf("%q: %v, want %q", name, found, want)
			}
		}
	}
	for _, name := range []string{"Booking.com", "J. Smith A/S", "Ärzte & Söhne", "AT&T", "24/7 Inc."} {
		if found := rules.AboutCompany(name, name, "ada@x.test"); found != nil {
			t.Errorf("%q: %v", name, found)
		}
	}
}
