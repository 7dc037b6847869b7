package dialect

import (
	"slices"
	"strings"
	"testing"
)

// Each mistake is made in a copy of a built-in file, by replacing one text.
func TestChecksFind(t *testing.T) {
	for _, row := range []struct{ of, old, new, want string }{
		{"xref", "accepts: [json, form]", "acepts: [json, form]", `:3: unknown key "acepts" in token; did you mean "accepts"?`},
		{"xref", "level: account", "level: acount", `acme.yaml:6:8: level: unknown value "acount"; did you mean "account"?`},
		{"xref", "level: account", "level: account\nlevel: user", `duplicate key "level"`},
		{"xref", "scheme Token}}", "scheme}}", `"scheme" is no place`},
		{"xref", "$account.id}\n\napi", "$acount.id}\n\napi", `unknown value $acount.id; did you mean "account.id"?`},
		{"xref", "hex 64, expires: 300s", "hex 64, expires: 11m", `a code lives 10s to 600s`},
		{"xref", "redirect_uri: skip", "redirect_url: skip", `"redirect_url" is no input of token; did you mean "redirect_uri"?`},
		{"xref", "{unknown_client: 404}", "{unknown_clint: 404}", `unknown kind of error "unknown_clint"; did you mean "unknown_client"?`},
		{"xref", "language: 1", "language: 2", `this version reads language 1`},
		{"xref", "GET /auth]", "GET /aúth]", `has the character 'ú', which no address needs`},
		{"xref", "  refresh: none", "  refresh: yes", `"yes" is not known here; write none, or a mapping`},
		{"xref", "scopes: none", "scopes: ours", `"ours" is not known here; write none, or a mapping`},
		{"xref", "pkce: optional", "pkce: optional\ninsecure_everything: {because: x}", `known here: insecure_secret_in_url, `},
		{"xref", "{client_id}/open", "{clientid}/open", `the variable {clientid} is the place of nothing`},
		{"xref", "answer: {access_token: $access_token,", "answer: {status: 302, body: {a: $access_token}, headers: {Location: x}, x:", `a success has a status of 200 to 299`},

		{"xeebo", "absent: {redirect_uri: skip}", "read: {code: none}", "[E01]"},
		{"xref", "response_type: code, redirect", "redirect", ""},
		{"xref", "absent: {response_type: code, ", "read: {response_type: none}\n  absent: {", "absent: {response_type: code} [E01]"},
		{"xref", ", redirect_uri: the registered one}", "}\n  read: {redirect_uri: none}", "absent: {redirect_uri: the registered one} [E01]"},
		{"xref", "absent: {grant_type: authorization_code, ", "read: {grant_type: none}\n  absent: {", "absent: {grant_type: authorization_code} [E01]"},
		{"xref", ", redirect_uri: skip}", "}\n  read: {redirect_uri: none}", "absent: {redirect_uri: skip} [E01]"},
		{"xref", "  absent: {grant_type", "  read: {code_verifier: none}\n  absent: {grant_type", "could never be redeemed"},
		{"xref", "  absent: {response_type", "  read: {code_challenge: none}\n  absent: {response_type", ""},
		{"xref", "pkce: optional", "pkce: required\nauthorize_: {}", `unknown key "authorize_"`},
		{"xref", "at: POST /oauth/tokens", "at: POST /oauth/tokens\n  read: {code: path code}", "[E02]"},
		{"xref", "at: POST /oauth/tokens", "at: \"POST /oauth/tokens/{_v}\"\n  read: {code: path _v}", "[E02]"},
		{"xref", "at: POST /oauth/tokens", "at: POST /oauth/tokens\n  read: {client_assertion: query proof}", "insecure_secret_in_url"},
		{"xref", "at: POST /oauth/tokens", "at: POST /oauth/tokens\n  read: {code: \"body a[\"}", "is no place"},
		{"xref", "$account.id}\n\napi", "$account.id, n: $item}\n\napi", "$item is the word at hand of a list"},
		{"xref", "$account.id}\n\napi", "$account.id, n: {$each: $scope}}\n\napi", "stands in an item of a list"},
		{"xref", "$account.id}\n\napi", "$account.id, n: [{$each: $state, a: $item}]}\n\napi", "repeats for each word of a list"},
		{"xref", "GET /auth]", "POST /oauth/tokens]", "[E03]"},
		{"xref", "state: $state, code: $code", "code: $code", "[E04]"},
		{"xref", "state: $state, code: $code", "state: $state", "[E04]"},
		{"xref", "access_token: $access_token, xref", "xref", "[E05]"},
		{"xref", "form: hex 40", "form: hex 30", "[E06]"},
		{"xref", "  - at: POST /oauth/deauthorize", "  []\nkeep_out:\n  - at: POST /oauth/deauthorize", `unknown key "keep_out"`},
		{"xeebo", "expires: 1h", "expires: never", ""},
		{"xref", "xref_account_id: $account.id}\n\napi", "xref_account_id: $account.id, r: $refresh_token}\n\napi", "[E08]"},
		{"xeebo", "refresh_token: $refresh_token, ", "", "[E08]"},
		{"xref", "scheme Token}}", "query token}}", "[E09]"},
		{"xref", "at: POST /oauth/tokens", "at: GET /oauth/tokens", "[E09]"},
		{"xref", "pkce: optional", "pkce: optional\ninsecure_token_in_url: {because: old}", "[E09]"},
		{"xref", "pkce: optional", "pkce: optional\ninsecure_token_in_url: {because: \"\"}", "say why"},
		{"xref", "event_data: {xref_account_id: $account.id}", "event_data: {t: $access_token}", "[E10]"},
		{"xref", "state: $state, code: $code", "state: $state, code: $code, who: $account.name", "[W01]"},
		{"xeebo", ", expires_in: $expires_in", "", "[W02]"},
		{"xeebo", "base62 45", "base62 46", "[W03]"},
		{"xref", "absent: {grant_type", "errors: {status: 200, body: {access_token: $error_description}}\n  absent: {grant_type", "[W04]"},
	} {
		data, _ := BuiltinFile(row.of)
		text := strings.Replace(string(data), row.old, row.new, 1)
		if text == string(data) {
			t.Fatalf("%s has no %q", row.of, row.old)
		}
		var all []string
		for _, f := range Check("acme.yaml", []byte(text), nil) {
			all = append(all, f.String())
		}
		got := strings.Join(all, "\n")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s with %q:\n%s\nwant %s", row.of, row.new, got, row.want)
		}
	}
}

func TestNeverExpiringTokensNeedAnEnd(t *testing.T) {
	data, _ := BuiltinFile("xref")
	head, tail, _ := strings.Cut(string(data), "revoke:")
	_, events, _ := strings.Cut(tail, "event_data")
	got := Check("acme.yaml", []byte(head+"event_data"+events), nil)
	if len(got) != 1 || got[0].Lint != "E07" {
		t.Errorf("%v", got)
	}
}

func TestChecksTellEverythingAtOnceInFileOrder(t *testing.T) {
	got := Check("a.yaml", []byte("language: 1\nname: A\nlevel: x\nfoo: 1\ntoken: {at: /x}\n"), nil)
	if len(got) != 4 {
		t.Fatalf("%v", got)
	}
	for i, line := range []int{2, 3, 4, 5} {
		if got[i].Line != line {
			t.Errorf("%d: %s", i, got[i])
		}
	}
}

func TestWhatCouldNotBeReadIsToldOnce(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "acme.yaml:1:1: the file is empty; it begins with language: 1 and name: NAME",
		"# nothing yet\n":                   "acme.yaml:1:1: the file is empty; it begins with language: 1 and name: NAME",
		"scopes: {split: 5}\n":              "scopes.split: this is a number; it must be text: put it in quotes",
		"insecure_get_token_request: yes\n": "insecure_get_token_request: this is text; it must be a mapping",
	} {
		if strings.Contains(text, ":") {
			text = "language: 1\nname: acme\n" + text
		}
		_, err := Library{}.Compile("acme.yaml", []byte(text))
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q:\n%v", text, err)
		}
	}
}

// What is wrong with a file's sense is told beside what is wrong with its form,
// but for what the form leaves open.
func TestLintsAreToldBesideMistakesOfForm(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string
	}{
		{"acepts: [json]\ntoken: {at: POST /t, answer: {a: $client_id}}\n", []string{`unknown key "acepts"`, "[E05]", "[W05]", "[W02]"}},
		{"token: {at: POST /t, acepts: [json], answer: {a: $client_id}}\n", []string{`unknown key "acepts"`, "[E05]", "[W05]", "[W02]"}},
		{"authorize: {at: GET /a, callback: {allowed: {code: $code}}}\ntoken: {at: POST /t, answer: {a: $acess_token}}\n",
			[]string{"[E04]", "unknown value $acess_token"}}, // nothing of the token endpoint, which is not known yet
		{"authorize: {at: GET /a, callback: {allowed: {code: $code}}}\ntokens: {access: {form: hex}}\n", []string{`"hex" is no form`}},
	} {
		got := Check("a.yaml", []byte("language: 1\nname: a\n"+c.file), nil)
		if len(got) != len(c.want) {
			t.Errorf("%s: %v", c.file, got)
			continue
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(got, func(f Finding) bool { return strings.Contains(f.String(), want) }) {
				t.Errorf("%s: %v lacks %q", c.file, got, want)
			}
		}
	}
}

func TestTheBuiltInDialectsAreWithoutFindings(t *testing.T) {
	set := builtin(t, "xref", "xeebo", "standard")
	for _, name := range Builtin() {
		data, _ := BuiltinFile(name)
		for _, f := range Check("dialects/"+name+".yaml", data, nil) {
			if !f.Warning {
				t.Error(f)
			}
		}
	}
	if got := Check("acme.yaml", []byte("language: 1\nname: acme\n"), set); len(got) != 1 || got[0].Lint != "E03" || !strings.Contains(got[0].String(), "standard") {
		t.Errorf("a clash with a mounted dialect: %v", got)
	}
	if got := Check("acme.yaml", []byte("language: 1\nname: acme\nextends: xref\nbase: /acme\n"), set); len(got) != 0 {
		t.Errorf("an extension: %v", got)
	}
}
