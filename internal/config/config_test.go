package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/mail"
)

const (
	key32   = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	minimal = "public_url: https://connect.example.com\ndatabase: sqlite:postern.db\n"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "postern.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAMinimalFileAndTheDefaults(t *testing.T) {
	path := write(t, minimal)
	c, warnings, err := Load(Sources{File: path})
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if c.PublicURL != "https://connect.example.com" || c.Listen != "127.0.0.1:8080" || c.Dialects != nil {
		t.Errorf("read %+v", c)
	}
	if want := "sqlite:" + filepath.Join(filepath.Dir(path), "postern.db"); c.Database != want {
		t.Errorf("the database is %s: a path in the file is relative to the file, %s", c.Database, want)
	}
	l := c.Lifetimes
	if l.Access != time.Hour || l.Refresh != 180*day || !l.RefreshAbsolute.Never || l.Code != 5*time.Minute || l.RetryWindow != 30*time.Second {
		t.Errorf("the lifetimes are %+v", l)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	path := write(t, `
listen: 0.0.0.0:443
public_url: HTTPS://Connect.Example.com:443/
database: postgres://postern:secret@db.example.com/postern?sslmode=verify-full
internal_listen: 127.0.0.1:9090
insecure_loopback: true
dialects:
  - {name: xeebo, hosts: {login: login.example.com, api: api.example.com}, base: ""}
  - file: acme.yaml
secret_key: `+key32+`
trusted_proxies: [10.1.2.3/8, "::1"]
tls: {cert_file: tls.crt, key_file: /etc/tls.key}
log: {level: debug, format: json}
lifetimes: {code: 600s, access: 5m, refresh: 30d, refresh_absolute: 90d, retry_window: 0s, session: 8h, session_idle: 30m}
branding: {name: Example, color: "#0b5d6b", logo: logo.svg, support: Ask help@example.com.}
sign_in: {attempts: 5}
`)
	c, _, err := Load(Sources{File: path})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	switch {
	case c.PublicURL != "https://connect.example.com":
		t.Errorf("public_url is %s", c.PublicURL)
	case len(c.Dialects) != 2 || *c.Dialects[0].Base != "" || c.Dialects[0].Hosts["api"] != "api.example.com":
		t.Errorf("dialects are %+v", c.Dialects)
	case c.Dialects[1].File != filepath.Join(dir, "acme.yaml") || c.Dialects[1].Base != nil:
		t.Errorf("the second dialect is %+v", c.Dialects[1])
	case c.TrustedProxies[0].String() != "10.0.0.0/8" || c.TrustedProxies[1].String() != "::1/128":
		t.Errorf("trusted proxies are %v", c.TrustedProxies)
	case c.TLS.CertFile != filepath.Join(dir, "tls.crt") || c.TLS.KeyFile != "/etc/tls.key":
		t.Errorf("tls is %+v", c.TLS)
	case c.Lifetimes.RefreshAbsolute.Of != 90*day || c.Lifetimes.RefreshAbsolute.Never || c.Lifetimes.Code != 10*time.Minute:
		t.Errorf("lifetimes are %+v", c.Lifetimes)
	case c.SignIn.Attempts != 5 || c.Branding.Support == "" || c.Log.Format != "json" || !c.InsecureLoopback:
		t.Errorf("read %+v", c)
	}
}

// Each mistake, and the exact line that an operator reads.
func TestMistakesAreToldWithPlaceAndRemedy(t *testing.T) {
	for text, want := range map[string]string{
		"": `1:1: public_url: missing; write the origin that people and partners use, as in https://connect.example.com
1:1: database: missing; write "sqlite:PATH" or "postgres://USER@HOST/NAME"`,
		minimal + "mail: {smtp: 'smtp://u:marker@h'}\n":                                         `3:8: mail: smtp and from belong together; give both`,
		minimal + "mail: {smtp: 'http://u:marker@h', from: \"A <a@b.test>\\nBcc: x@y.test\"}\n": `3:14: mail.smtp: this begins with neither smtp:// nor smtps://; write smtp://USER:PASSWORD@HOST:587, or smtps://… for TLS from the start` + "\n" + `3:41: mail.from: this is not an address; write it as in "Acme <no-reply@acme.com>"`,
		minimal + "listne: x\n":                                                               `3:1: unknown key "listne"; did you mean "listen"?`,
		minimal + "database: sqlite:b\n":                                                      `3:1: duplicate key "database"; it is already in line 2`,
		minimal + "listen: 8080\n":                                                            `3:9: listen: this is a number; it must be text: put it in quotes`,
		minimal + "listen: localhost\n":                                                       `3:9: listen: "localhost" is not host:port; write it as in 127.0.0.1:8080, or :8080 for all addresses`,
		minimal + "listen: localhost:http\n":                                                  `3:9: listen: "http" is not a port; write a number up to 65535`,
		minimal + "listen: localhost:70000\n":                                                 `3:9: listen: "70000" is not a port; write a number up to 65535`,
		minimal + "listen: [a]\n":                                                             `3:9: listen: this is a list; it must be text`,
		minimal + "insecure_loopback: yes\n":                                                  `3:20: insecure_loopback: this is text; it must be true or false`,
		minimal + "internal_listen: " + dflt:                                                  `3:18: internal_listen: this is the public listener's address; the internal one needs its own`,
		minimal + "lifetimes: {code: 5s}\n":                                                   `3:19: lifetimes.code: 5s is out of bounds; write 10s to 600s`,
		minimal + "lifetimes: {code: 601s}\n":                                                 `3:19: lifetimes.code: 10m1s is out of bounds; write 10s to 600s`,
		minimal + "lifetimes: {code: never}\n":                                                `3:19: lifetimes.code: "never" is not a duration; write a duration such as 300s, 5m, 1h or 180d`,
		minimal + "lifetimes: {code: 300}\n":                                                  `3:19: lifetimes.code: "300" is not a duration; write a duration such as 300s, 5m, 1h or 180d`,
		minimal + "lifetimes: {acces: 1h}\n":                                                  `3:13: unknown key "acces" in lifetimes; did you mean "access"?`,
		minimal + "lifetimes: {access: 4m}\n":                                                 `3:21: lifetimes.access: 4m is out of bounds; write 5m or more`,
		minimal + "lifetimes: {refresh: 59m}\n":                                               `3:22: lifetimes.refresh: 59m is out of bounds; write 1h or more`,
		minimal + "lifetimes: {retry_window: 5h}":                                             `3:27: lifetimes.retry_window: 5h is out of bounds; write 0s to 300s`,
		minimal + "lifetimes: {session: 1h, session_idle: 2h}\n":                              `3:40: lifetimes.session_idle: 2h is longer than session, 1h`,
		minimal + "lifetimes: {refresh_absolute: 1s}\n":                                       `3:31: lifetimes.refresh_absolute: 1s is out of bounds; write 1h or more, or never`,
		minimal + "log: {level: loud}\n":                                                      `3:14: log.level: "loud" is unknown; write debug, info, warn, error`,
		minimal + "log: {format: xml}\n":                                                      `3:15: log.format: "xml" is unknown; write text, json`,
		minimal + "tls: {cert_file: a}\n":                                                     `3:7: tls: cert_file and key_file belong together; give both`,
		minimal + "trusted_proxies: [10.0.0.0/33]\n":                                          `3:19: trusted_proxies[0]: "10.0.0.0/33" is not a network; write it as in 10.0.0.0/8, or one address`,
		minimal + "trusted_proxies: 10.0.0.0/8\n":                                             `3:18: trusted_proxies: this is text; it must be a list`,
		minimal + "secret_key: abc\n":                                                         `3:13: secret_key: the secret key must be 32 bytes in base64: openssl rand -base64 32 makes one`,
		minimal + "secret_key: " + key32 + "\nsecret_key_file: k\n":                           `4:18: secret_key_file: secret_key is given too; give one of the two`,
		minimal + "branding: {color: red}\n":                                                  `3:19: branding.color: "red" is not a colour; write it as #rrggbb`,
		minimal + "sign_in: {attempts: 4}\n":                                                  `3:21: sign_in.attempts: 4 is out of bounds; write 5 to 100`,
		minimal + "sign_in: {partners: anybody}\n":                                            `3:21: sign_in.partners: "anybody" is unknown; write invite, open, approve`,
		minimal + "dialects: []\n":                                                            `3:11: dialects: an empty list mounts nothing; name a dialect, or take the key out`,
		minimal + "dialects: [xref]\n":                                                        `3:12: dialects[0]: this is text; it must be a mapping`,
		minimal + "dialects: [{name: a, file: b}]\n":                                          `3:13: dialects[0]: a mount has either a name, of a built-in dialect, or a file`,
		minimal + "dialects: [{name: a, hosts: {lgin: x}}]\n":                                 `3:30: unknown key "lgin" in dialects[0].hosts; did you mean "login"?`,
		minimal + "a: &x 1\n":                                                                 `3:4: anchors (&x) are not read here; write the value out`,
		"- a\n":                                                                               `1:1: this is a list; it must be a mapping`,
		"public_url: [":                                                                       `1:13: not YAML: sequence end token ']' not found`,
		"public_url: https://a.example/x\ndatabase: sqlite:a\n":                               `1:13: public_url: "https://a.example/x" has a path; write the origin alone, as in https://connect.example.com`,
		"public_url: http://a.example\ndatabase: sqlite:a\n":                                  `1:13: public_url: "http://a.example" must be https; http is for loopback hosts; write the origin alone, as in https://connect.example.com`,
		"public_url: a.example\ndatabase: sqlite:a\n":                                         `1:13: public_url: "a.example" is not a URL with a host; write the origin alone, as in https://connect.example.com`,
		"public_url: ftp://a.example\ndatabase: sqlite:a\n":                                   `1:13: public_url: "ftp://a.example" is neither https nor http; write the origin alone, as in https://connect.example.com`,
		"public_url: https://u:p@a.example\ndatabase: sqlite:a\n":                             `1:13: public_url: a user has no place here; write the origin alone, as in https://connect.example.com`,
		"public_url: https://a.example?x\ndatabase: sqlite:a\n":                               `1:13: public_url: "https://a.example?x" has a query or a fragment; write the origin alone, as in https://connect.example.com`,
		"public_url: https://a.example\ndatabase: mysql://a\n":                                `2:11: database: this is neither SQLite nor PostgreSQL; write "sqlite:PATH" or "postgres://USER@HOST/NAME"`,
		"public_url: https://a.example\ndatabase: 'sqlite:'\n":                                `2:11: database: sqlite needs a file; write it as in sqlite:/var/lib/postern/postern.db`,
		"public_url: https://a.example\ndatabase: postgres://u:%zz@h/d\nsecret_key: " + key32: `2:11: database: this is not a URL (are special characters of the password written as %xx?); write "sqlite:PATH" or "postgres://USER@HOST/NAME"`,
		"public_url: https://a.example\ndatabase: postgres://h/d\n":                           `1:1: secret_key: missing; PostgreSQL needs one, the same on every node: openssl rand -base64 32 makes one (secret_key_file keeps it in a file)`,
		"zzzzzzzzzzzzz: 1\nlisten: x\npublic_url: ftp://h\n": `1:1: database: missing; write "sqlite:PATH" or "postgres://USER@HOST/NAME"
1:1: unknown key "zzzzzzzzzzzzz"
2:9: listen: "x" is not host:port; write it as in 127.0.0.1:8080, or :8080 for all addresses
3:13: public_url: "ftp://h" is neither https nor http; write the origin alone, as in https://connect.example.com`,
	} {
		path := write(t, text)
		_, _, err := Load(Sources{File: path})
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		got := strings.Split(err.Error(), "\n")
		expected := strings.Split(want, "\n")
		slices.Sort(got)
		for i, line := range expected {
			expected[i] = path + ":" + line
		}
		slices.Sort(expected)
		if !slices.Equal(got, expected) {
			t.Errorf("%q gives\n%s\nwanted\n%s", text, err, want)
		}
	}
}

const dflt = "127.0.0.1:8080\n"

func TestPublicURLMayBeHTTPOnLoopback(t *testing.T) {
	for _, origin := range []string{"http://localhost:8080", "http://127.0.0.1", "http://[::1]:99", "http://a.localhost", "http://127.1.2.3:5"} {
		c, _, err := Load(Sources{File: write(t, "database: sqlite:a\npublic_url: "+origin+"\n")})
		if err != nil || c.PublicURL != origin {
			t.Errorf("%s: %v", origin, err)
		}
	}
}

func TestEveryKeyComesFromTheEnvironment(t *testing.T) {
	for _, k := range allKeys {
		if k.path == "secret_key_file" || k.path == "secret_key" || k.path == "public_url" || k.path == "database" {
			continue
		}
		_, warnings, err := Load(Sources{File: write(t, minimal), Environ: []string{k.env() + "=\x7f\""}})
		named := err != nil && strings.Contains(err.Error(), k.env())
		if free := k.path == "routes" || k.path == "tls.cert_file" || k.path == "tls.key_file" || strings.HasPrefix(k.path, "branding"); len(warnings) > 0 || !named && !free {
			t.Errorf("%s: nonsense there gives %v and the warnings %v", k.env(), err, warnings)
		}
	}
	path := write(t, minimal+"lifetimes: {code: 60s, access: 2h}\n")
	c, warnings, err := Load(Sources{
		File: path,
		Environ: []string{"POSTERN_CONFIG=" + path, "POSTERN_LIFETIMES_ACCESS=3h", "POSTERN_TRUSTED_PROXIES=10.0.0.0/8, ::1",
			"POSTERN_LISTEN=:1", "POSTERN_SIGN_IN_ATTEMPTS=7", "POSTERN_INSECURE_LOOPBACK=true", "POSTERN_DATABASE=sqlite:here.db",
			`POSTERN_DIALECTS=[{name: xref, base: /x}]`, "POSTERN_TLS_CERT_FILE=c", "POSTERN_TLS_KEY_FILE=k", "POSTERN_LOG_LEVEL=", "HOME=/"},
		Flags: []Flag{{"--listen", "listen", ":2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case c.Lifetimes.Access != 3*time.Hour || c.Lifetimes.Code != time.Minute:
		t.Errorf("lifetimes are %+v", c.Lifetimes)
	case c.Listen != ":2":
		t.Errorf("listen is %s: a flag outweighs the environment", c.Listen)
	case len(c.TrustedProxies) != 2 || c.SignIn.Attempts != 7 || len(c.Dialects) != 1 || *c.Dialects[0].Base != "/x":
		t.Errorf("read %+v", c)
	case c.Database != "sqlite:here.db" || c.TLS.CertFile != "c":
		t.Errorf("%s, %s: paths of the environment are relative to where one is", c.Database, c.TLS.CertFile)
	case len(warnings) != 1 || !strings.HasPrefix(warnings[0], "insecure_loopback"):
		t.Errorf("warnings are %q", warnings)
	}
}

func TestAVariableThatNamesNoKeyIsAWarning(t *testing.T) {
	_, warnings, err := Load(Sources{File: write(t, minimal), Environ: []string{"POSTERN_LIFETIMES_ACESS=1h", "POSTERN_DIALECT=xref"}})
	want := []string{
		`the environment variable POSTERN_DIALECT names no key of the configuration; did you mean "POSTERN_DIALECTS"?`,
		`the environment variable POSTERN_LIFETIMES_ACESS names no key of the configuration; did you mean "POSTERN_LIFETIMES_ACCESS"?`,
	}
	if err != nil || !slices.Equal(warnings, want) {
		t.Errorf("%v, warnings %q", err, warnings)
	}
}

func TestTheMailServerIsToldOfWithoutItsPassword(t *testing.T) {
	c, warnings, err := Load(Sources{File: write(t, minimal), Environ: []string{
		"POSTERN_MAIL_SMTP=smtp://u:m%C3%A4rker@smtp.example.com", "POSTERN_MAIL_FROM=Acme <no-reply@acme.test>",
		"POSTERN_MAIL_INSECURE_SMTP_WITHOUT_TLS=true"}})
	if err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], "mail.insecure_smtp_without_tls is on") {
		t.Fatalf("%v, warnings %q", err, warnings)
	}
	s := c.Mail.Server()
	if s.Host != "smtp.example.com" || s.Password != "märker" || s.TLS != mail.Plain || s.From.Name != "Acme" || s.From.Address != "no-reply@acme.test" {
		t.Errorf("read %+v", s)
	}
	for _, printed := range []string{fmt.Sprintf("%v %+v %#v", c, c, c.Mail), fmt.Sprintf("%v %+v %#v", s, *s, *s)} {
		if strings.Contains(printed, "rker") {
			t.Errorf("it prints as %s", printed)
		}
	}
	if (&Mail{}).Server() != nil {
		t.Error("without configuration there is a server")
	}
}

func TestAConfigurationNeedsNoFile(t *testing.T) {
	_, _, err := Load(Sources{Environ: []string{"POSTERN_DATABASE=sqlite:a", "POSTERN_PUBLIC_URL=https://x/y"}})
	want := `POSTERN_PUBLIC_URL: public_url: "https://x/y" has a path; write the origin alone, as in https://connect.example.com`
	if err == nil || err.Error() != want {
		t.Errorf("said %v", err)
	}
	if _, _, err = Load(Sources{Environ: []string{"POSTERN_DATABASE=sqlite:a", "POSTERN_PUBLIC_URL=https://x"}}); err != nil {
		t.Error(err)
	}
}

func TestASecretThatEverybodyCanReadIsAWarning(t *testing.T) {
	withKey := minimal + "secret_key: " + key32 + "\n"
	withMail := minimal + "mail: {smtp: 'smtp://u:secret@h', from: a@b.test}\n"
	withPassword := "public_url: https://x\nsecret_key_file: k\ndatabase: postgres://u:secret@h/d\n"
	for _, c := range []struct {
		text string
		mode os.FileMode
		want bool
	}{
		{withKey, 0o644, true}, {withKey, 0o600, false}, {withKey, 0o640, false}, {minimal, 0o644, false},
		{withMail, 0o644, true}, {withMail, 0o600, false}, {strings.Replace(withMail, "u:secret@", "", 1), 0o644, false},
		{withPassword, 0o644, true}, {strings.Replace(withPassword, ":secret@", "@", 1), 0o644, false},
	} {
		path := write(t, c.text)
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		_, warnings, err := Load(Sources{File: path, Environ: []string{"POSTERN_DATABASE="}})
		if err != nil || (len(warnings) == 1) != c.want {
			t.Errorf("mode %o of %q: %v, %v", c.mode, c.text, warnings, err)
		}
		if c.want && warnings[0] != path+" holds a secret and everybody on this machine can read it: chmod 600 "+path {
			t.Errorf("warned %q", warnings[0])
		}
	}
}

// The example is the reference of the configuration: it must name every key and
// tell the true defaults.
func TestTheExampleNamesEveryKeyWithItsDefault(t *testing.T) {
	const example = "../../docs/examples/postern.yaml"
	c, _, err := Load(Sources{File: example})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range allKeys {
		name := k.path[strings.LastIndexByte(k.path, '.')+1:]
		if !regexp.MustCompile(`\b` + name + `:`).Match(text) {
			t.Errorf("the example lacks %s", k.path)
		}
	}
	d := defaults()
	if c.Listen != d.Listen || c.Log != d.Log || c.Lifetimes != d.Lifetimes || c.SignIn != d.SignIn || c.InsecureLoopback {
		t.Errorf("the example's defaults are %+v, the program's %+v", c, d)
	}
}

func TestOneWordSaysWhetherAppsAreReviewed(t *testing.T) {
	for text, want := range map[string]Apps{
		"": {Review: "open"}, "apps: open": {Review: "open"}, "apps: review": {Review: "review"},
		"apps: {review: review, dialects: [xref]}": {Review: "review", Dialects: []string{"xref"}},
		"apps: {dialects: [xref]}":                 {Review: "open", Dialects: []string{"xref"}},
		"apps: {client_credentials: true}":         {Review: "open", ClientCredentials: true},
	} {
		c, _, err := Load(Sources{File: write(t, minimal+text+"\n")})
		if err != nil || c.Apps.Review != want.Review || !slices.Equal(c.Apps.Dialects, want.Dialects) || c.Apps.Reviewed() != (want.Review == "review") {
			t.Errorf("%q gives %+v, %v", text, c.Apps, err)
		}
	}
	c, _, err := Load(Sources{File: write(t, minimal+"apps: open\n"), Environ: []string{"POSTERN_APPS=review"}})
	if err != nil || !c.Apps.Reviewed() {
		t.Errorf("the environment gives %+v, %v", c, err)
	}
	for text, want := range map[string]string{
		"apps: closed": `apps: "closed" is unknown; write open, review`, "apps: {review: x}": `apps.review: "x" is unknown`,
		"apps: {x: 1}": `unknown key "x" in apps`, "apps: {dialects: [a, a]}": "twice",
	} {
		if _, _, err := Load(Sources{File: write(t, minimal+text+"\n")}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v", text, err)
		}
	}
}
