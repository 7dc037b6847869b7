package requestlog

import "testing"

func TestHowRedirectURLsDiffer(t *testing.T) {
	const right = "https://app.test/callback"
	for sent, want := range map[string]string{
		right + "/":                       "in its last character: /",
		"https://app.test/callbac":        "in its last character: k is missing",
		"https://app.test/callbacK":       "in its last character: K instead of k",
		right + " ":                       "by a space or line break around it",
		"http://app.test/callback":        "in its scheme: http instead of https",
		"https://app.test:8443/callback":  "in its port: 8443 instead of none",
		"https://www.app.test/callback":   "in its host: www.app.test instead of app.test",
		"https://app.test/Callback":       "in upper and lower case: character 18 on: Callback instead of callback",
		"https://app.test/callb%61ck":     "in its percent-encoding: character 23 on: %61ck instead of ack",
		right + "?next=1":                 "in its query: next=1 instead of none",
		right + "#top":                    "in its fragment: top instead of none",
		"https://app.test/back":           "in its path: /back instead of /callback",
		"http://localhost:3000/auth/back": "from its character 5 on: ://localhost:3000/auth/back instead of s://app.test/callback",
		"":                                "from its character 1 on: none instead of " + right,
	} {
		if got := differs(sent, right).String(); got != want {
			t.Errorf("%q\n   got %q\n  want %q", sent, got, want)
		}
	}
}

func FuzzDiffers(f *testing.F) {
	f.Add("https://a.test/", "https://a.test")
	f.Add("\xff", "%")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, sent, right string) {
		if differs(sent, right).String() == "" {
			t.Error("it says nothing")
		}
	})
}
