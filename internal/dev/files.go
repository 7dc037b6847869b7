package dev

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/server"
)

// The files of the demo's directory. The first two are those that any
// installation has.
const (
	configFile    = "postern.yaml"
	resourcesFile = "resources.yaml"
	databaseFile  = "postern.db"
	partnerFile   = "partner.json" // what the partner's site keeps
)

const mark = "# Written by `postern dev` at every start; changes are lost."

// prepare makes the directory, or finds an earlier demo in it. What is not a
// demo's is left alone.
func prepare(dir string, fresh bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the demo's directory: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("the demo's directory: %w", err)
	}
	config, err := os.ReadFile(filepath.Join(dir, configFile))
	if len(entries) > 0 && (err != nil || !strings.HasPrefix(string(config), mark)) {
		return fmt.Errorf("%s holds other things than a demo: name an empty or a new directory with --dir", dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return err
	}
	if !fresh {
		return nil
	}
	for _, name := range []string{databaseFile, databaseFile + "-wal", databaseFile + "-shm", databaseFile + ".key", resourcesFile, partnerFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("begin anew: %w", err)
		}
	}
	return nil
}

// places are the origins of the four listeners.
type places struct {
	public, partner, api, internal string
}

// configuration is the server's configuration file. Without a list of mounts
// there are the usual dialects; any further built-in one is under its name.
func configuration(at places, database string, verbose bool) (string, error) {
	unsaid, err := server.Mounts(&config.Config{})
	if err != nil {
		return "", err
	}
	var usual, mounts []string
	for _, d := range unsaid.List() {
		usual = append(usual, d.Name())
	}
	for _, name := range slices.Concat(usual, without(dialect.Builtin(), usual)) {
		d, err := dialect.Library{}.Builtin(name)
		if err != nil {
			return "", err
		}
		mounts = append(mounts, mountOf(d, slices.Contains(usual, name)))
	}
	level := "warn"
	if verbose {
		level = "info"
	}
	return mark + `
listen: ` + strings.TrimPrefix(strings.Replace(at.public, "localhost", "127.0.0.1", 1), "http://") + `
public_url: ` + at.public + `
internal_listen: ` + strings.TrimPrefix(at.internal, "http://") + `
` + database + `
insecure_loopback: true
dialects:
  - ` + strings.Join(mounts, "\n  - ") + `
sign_in: {partners: open}
portal: {sample_call: ` + at.api + `/candidates}
log: {level: ` + level + `}
`, nil
}

// mountOf is where a dialect is mounted: at the place that its file says, or
// under its name. A host of its own becomes one that leads to this machine
// (RFC 6761 §6.3).
func mountOf(d *dialect.Dialect, usual bool) string {
	m := "name: " + d.Name()
	if !usual {
		m += ", base: /" + d.Name()
	}
	var hosts []string
	for which, host := range d.Hosts() {
		var local []string
		for label := range strings.SplitSeq(host, ".") {
			if strings.HasPrefix(label, "{") {
				local = append(local, label)
			}
		}
		hosts = append(hosts, fmt.Sprintf("%s: %q", which, strings.Join(append(local, "localhost"), ".")))
	}
	if len(hosts) > 0 {
		m += ", hosts: {" + strings.Join(hosts, ", ") + "}"
	}
	return "{" + m + "}"
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

// password is everybody's. It guards nothing.
const password = "a small gate in the wall"

// person is somebody of the demo company's customers.
type person struct {
	email, name string
	roles       [][2]string // account and role
}

var people = []person{
	{"ada@acme.test", "Ada Ahlberg", [][2]string{{"Acme", "admin"}}},
	{"max@acme.test", "Max Moser", [][2]string{{"Acme", "member"}}},
	{"gil@globex.test", "Gil Garnier", [][2]string{{"Globex", "admin"}}},
	{"kim@agency.test", "Kim Keller", [][2]string{{"Acme", "admin"}, {"Globex", "member"}}},
}

// inBoth belongs to two accounts, and so is asked for which to connect.
var inBoth = people[3]

var scopes = [][2]string{
	{"candidates.read", "See your candidates"},
	{"jobs.read", "See your open jobs"},
	{"invoices.read", "See your invoices"},
}

// asked are the scopes that the sample partner asks for: one less than there
// are, so that a refusal can be seen, too.
var asked = []string{scopes[0][0], scopes[1][0]}

const partnerName = "Hirewell"

// The people who build the partner's apps, and who run Postern.
const devEmail, operatorEmail = "dev@partner.test", "op@saas.test"

// The sample API's own credentials, for introspection.
const apiID, apiSecret = "demo-api", "demo-secret-of-the-api"

// appOf is the sample partner's app of a dialect.
func appOf(d *dialect.Dialect, at places) dialect.Speaker {
	return dialect.Speaker{
		Dialect: d, Server: at.public, ClientID: "demo-" + d.Name(), ClientSecret: "demo-secret-of-" + d.Name() + "-app",
		RedirectURL: at.partner + "/callback/" + d.Name(), Scopes: asked, Tenant: handle(inBoth.roles[0][0]),
	}
}

func handle(account string) string { return strings.ToLower(account) }

// resources is the file that `postern apply` brings the database to.
func resources(set *dialect.Set, at places) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("%s", mark)
	say("scopes:")
	for _, s := range scopes {
		say("  - {name: %s, description: %s}", s[0], s[1])
	}
	say("accounts:")
	for _, account := range []string{"Acme", "Globex"} {
		say("  - name: %s\n    handle: %s\n    users:", account, handle(account))
		for _, p := range people {
			for _, r := range p.roles {
				if r[0] == account {
					say("      - {email: %s, name: %s, password: %s, role: %s}", p.email, p.name, password, r[1])
				}
			}
		}
	}
	say("partners:\n  - name: %s\n    members: [{email: %s, password: %s, role: owner}]\n    apps:", partnerName, devEmail, password)
	for _, d := range set.List() {
		app := appOf(d, at)
		say("      - name: %s (%s)", partnerName, d.Name())
		say("        description: Finds the right people for your open jobs")
		say("        url: %s", at.partner)
		if slices.Contains(d.Apps().Required, "logo_url") {
			say("        logo_url: %s/favicon.ico", at.partner)
		}
		say("        dialect: %s", d.Name())
		say("        client_id: %s\n        client_secret: %s", app.ClientID, app.ClientSecret)
		say("        redirect_urls: [%s]", app.RedirectURL)
		say("        scopes: [%s]\n        default_scopes: [%s]", strings.Join(asked, ", "), asked[0])
	}
	say("apis:\n  - {name: Sample API, id: %s, secret: %s}", apiID, apiSecret)
	say("operators: [{email: %s, password: %s}]", operatorEmail, password)
	return b.String()
}
