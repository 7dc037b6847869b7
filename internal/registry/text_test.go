package registry

import (
	"strings"
	"testing"
)

func TestNamesThatPeopleCannotTrustAreRefused(t *testing.T) { // LC-09
	for name, want := range map[string]string{
		"":                                 "is empty",
		"  ":                               "is empty",
		"Partner\u202eX":                   "U+202E",
		"\u2066Partner":                    "U+2066",
		"Part\u200dner":                    "U+200D",
		"Part\u200bner":                    "U+200B",
		"Part\u2060ner":                    "U+2060",
		"\ufeffPartner":                    "U+FEFF",
		"Part\u00adner":                    "U+00AD",
		"Part\u034fner":                    "U+034F",
		"\u3164":                           "U+3164",
		"\u2800\u2800":                     "U+2800",
		"Part\U000e0041ner":                "U+E0041",
		"Part\u2028ner":                    "U+2028",
		"Part\ue000ner":                    "U+E000",
		"Part\x00ner":                      "U+0000",
		"Part\x1b[31mner":                  "U+001B",
		"Part\u0085ner":                    "U+0085",
		"Part\xffner":                      "U+FFFD",
		"Part\nner":                        "line break",
		" Partner":                         "begins or ends with a space",
		"Partner\u00a0":                    "begins or ends with a space",
		strings.Repeat("é", 65):            "has 65 characters; at most 64",
		strings.Repeat("a\u0301", 33):      "has 66 characters",
		strings.Repeat("x", 500):           "has 500 characters",
		strings.Repeat("x", 60) + "\u202e": "U+202E",
		"Part" + strings.Repeat("\u0310\u0356", 3) + "ner": "more than 4 accents",
		"\u0336Partner": "one without a letter",
	} {
		if got := aboutName(name); !strings.Contains(got, want) || got == "" {
			t.Errorf("%.30q %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"Partner X", "<img onerror=alert(1)>", "Ärzte & Söhne", "日本語", "שלום", "🙂\ufe0f", strings.Repeat("é", 64), "a.b 'c' \"d\"", "e\u0302\u0323", "שָׁ֑לוֹם", "1\ufe0f\u20e3"} {
		if got := aboutName(name); got != "" {
			t.Errorf("%q %s", name, got)
		}
	}
}

func TestFormsOfShortTexts(t *testing.T) {
	long := strings.Repeat("a", 129)
	for _, c := range []struct {
		rule      func(string) string
		good, bad []string
	}{
		{aboutID, []string{"partner-x", "a", "A.b_c~d-9", long[:128]}, []string{"", long, "a b", "a/b", "é", "a%2fb", "a\n"}},
		{aboutScope, []string{"candidates.read", "a:b/c-d_e", long[:64]}, []string{"", long[:65], "a,b", "a b", `a"b`, "ä", "a\n"}},
		{aboutEventType, []string{"candidate.updated", "a.b.c_1"}, []string{"", "candidate", "connection.created", "A.b", "a..b", "a.b\n", long + ".a"}},
		{aboutHandle, []string{"", "acme", "a-b.c", "A"}, []string{"-a", "a-", "a b", long[:65], "é", "a\n"}},
		{aboutRole, []string{"admin", "Verwalter"}, []string{"", "a b", "a\u00a0b", long[:65], "a\u200bb"}},
		{aboutEmail, []string{"ada@acme.test", "a.b+c@x.y.test", "o'neil@x.test", "a@localhost", "jürgen@müller.test"},
			[]string{"", "ada", "@x", "a@", "a@b@c", "a b@x.test", "a@x..test", "a@.test", "a@x.test.", "a\n@x.test", "<a@x.test>", "a,b@x.test", "a@x\u202e.test", long[:65] + "@x.test", "a@" + long + long}},
		{aboutSecretOfUs, []string{strings.Repeat("x", 20), strings.Repeat(" ", 20), strings.Repeat("~", 255)},
			[]string{"", strings.Repeat("x", 19), strings.Repeat("x", 256), strings.Repeat("é", 20), strings.Repeat("x", 20) + "\n"}},
		{aboutWebhookSecret, []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + strings.Repeat("A", 84) + "AA=="},
			[]string{"", "whsec_", "whsec_abc", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + strings.Repeat("A", 88), "whsec_MfKQ9r8GKYqr\nTwjUPD8ILPZIo2LaLaSw"}},
	} {
		for _, text := range c.good {
			if got := c.rule(text); got != "" {
				t.Errorf("%.60q %s", text, got)
			}
		}
		for _, text := range c.bad {
			if c.rule(text) == "" {
				t.Errorf("%.60q is accepted", text)
			}
		}
	}
	if got := aboutClientSecret("short", true); got != "" {
		t.Errorf("a weak secret where weak ones are allowed %s", got)
	}
	if aboutClientSecret("", true) == "" {
		t.Error("an empty secret is accepted")
	}
}

func aboutSecretOfUs(text string) string { return aboutClientSecret(text, false) }

func TestSecretHashesAreReadWhole(t *testing.T) {
	digits := strings.Repeat("ab", 32)
	for _, good := range []string{"sha256:" + digits, "sha256:" + strings.ToUpper(digits)} {
		if h, ok := readSecretHash(good); !ok || h[31] != 0xab {
			t.Errorf("%s gives %v, %v", good, h, ok)
		}
	}
	for _, bad := range []string{"", digits, "sha512:" + digits, "sha256:" + digits[1:], "sha256:" + digits + "00", "sha256:" + strings.Repeat("00", 32), "sha256:" + digits[2:] + "zz"} {
		if _, ok := readSecretHash(bad); ok {
			t.Errorf("%s is accepted", bad)
		}
	}
}
