package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/yamlfile"
)

// report collects what is wrong, each at the key's place.
type report struct {
	root     *yamlfile.Node
	problems yamlfile.Problems
}

func (r *report) say(key, format string, args ...any) {
	if n := find(r.root, key); n != nil {
		if !r.reported(n) {
			r.problems = append(r.problems, n.Problem(format, args...))
		}
		return
	}
	r.problems = append(r.problems, r.root.ProblemAt(key, format, args...))
}

// reported: a value of the wrong type has been complained of already.
func (r *report) reported(n *yamlfile.Node) bool {
	return slices.ContainsFunc(r.problems, func(p yamlfile.Problem) bool { return p.Position == n.Position && p.Key == n.Path })
}

// check reports all that is wrong with the values and writes some in their
// normal form.
func (c *Config) check(r *report) {
	c.checkAddresses(r)
	c.checkDatabase(r)
	c.checkDialects(r)
	c.checkSecretKey(r)
	c.checkLifetimes(r)
	c.checkCheck(r)
	c.checkWebhooks(r)
	c.checkRequestLog(r)
	c.checkPortal(r)
	c.checkApps(r)
	c.checkMail(r)
	oneOf(r, "log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf(r, "sign_in.partners", c.SignIn.Partners, "invite", "open", "approve")
	oneOf(r, "log.format", c.Log.Format, "text", "json")
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		r.say("tls", "cert_file and key_file belong together; give both")
	}
	if c.Branding.Color != "" && !color.MatchString(c.Branding.Color) {
		r.say("branding.color", "%q is not a colour; write it as #rrggbb", c.Branding.Color)
	}
	if c.SignIn.Attempts < 5 || c.SignIn.Attempts > 100 {
		r.say("sign_in.attempts", "%d is out of bounds; write 5 to 100", c.SignIn.Attempts)
	}
}

// checkRequestLog keeps the log of one app to what a page of it can search.
func (c *Config) checkRequestLog(r *report) {
	const largest = 100_000
	if n := c.RequestLog.Most; n < 0 || n > largest {
		r.say("request_log.most", "%d is out of bounds; write 0 to %d", n, largest)
	}
	if h := c.RequestLog.History; h < time.Hour || h > 90*day {
		r.say("request_log.history", "%s is out of bounds; write 1h to 90d", short(h))
	}
}

// checkPortal: the address is the operator's own, so it may be on a private
// network.
func (c *Config) checkPortal(r *report) {
	if c.Portal.SampleCall == "" {
		return
	}
	u, err := url.Parse(c.Portal.SampleCall)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		r.say("portal.sample_call", "%q is no address to call; write one of your API, such as https://api.example.com/v1/me", c.Portal.SampleCall)
	}
}

// checkCheck: a node reads what has changed within a second, so a bound between
// none and that would promise what nothing holds.
func (c *Config) checkCheck(r *report) {
	if d := c.Check.Away; d != 0 && (d < time.Second || d > longestAway) {
		r.say("check.away", "%s is out of bounds; write 1s to 5s, or 0s to have every check ask the database", d)
	}
}

// checkWebhooks keeps history for as long as a delivery is tried at the least.
func (c *Config) checkWebhooks(r *report) {
	if h := c.Webhooks.History; h < 7*day || h > 3650*day {
		r.say("webhooks.history", "%s is out of bounds; write 7d to 3650d", short(h))
	}
}

// checkMail never repeats the server's address: it holds a password.
func (c *Config) checkMail(r *report) {
	if c.Mail.SMTP != "" {
		if _, err := mail.ParseServer(c.Mail.SMTP, c.Mail.InsecureSMTPWithoutTLS); err != nil {
			r.say("mail.smtp", "%s", err)
		}
	}
	if c.Mail.From != "" {
		if _, err := mail.ParseFrom(c.Mail.From); err != nil {
			r.say("mail.from", "%s", err)
		}
	}
	if (c.Mail.SMTP == "") != (c.Mail.From == "") {
		r.say("mail", "smtp and from belong together; give both")
	}
}

var color = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func oneOf(r *report, key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.say(key, "%q is unknown; write %s", value, strings.Join(allowed, ", "))
	}
}

func (c *Config) checkAddresses(r *report) {
	checkListen(r, "listen", c.Listen)
	if c.InternalListen != "" {
		checkListen(r, "internal_listen", c.InternalListen)
		if c.InternalListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
			r.say("internal_listen", "this is the public listener's address; the internal one needs its own")
		}
	}
	if c.PublicURL == "" {
		r.say("public_url", "missing; write the origin that people and partners use, as in https://connect.example.com")
		return
	}
	origin, wrong := parseOrigin(c.PublicURL)
	if wrong != "" {
		r.say("public_url", "%s; write the origin alone, as in https://connect.example.com", wrong)
		return
	}
	c.PublicURL = origin
}

func checkListen(r *report, key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		r.say(key, "%q is not host:port; write it as in 127.0.0.1:8080, or :8080 for all addresses", address)
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		r.say(key, "%q is not a port; write a number up to 65535", port)
	}
}

// parseOrigin reads an origin into its normal form, or says what is wrong with it.
func parseOrigin(text string) (origin, wrong string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "", fmt.Sprintf("%q is not a URL with a host", text)
	case u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Sprintf("%q is neither https nor http", text)
	case u.User != nil:
		return "", "a user has no place here"
	case u.Path != "" && u.Path != "/":
		return "", fmt.Sprintf("%q has a path", text)
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return "", fmt.Sprintf("%q has a query or a fragment", text)
	case strings.HasSuffix(u.Host, ":"):
		return "", fmt.Sprintf("%q has a colon without a port", text)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return "", fmt.Sprintf("%q must be https; http is for loopback hosts", text)
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host, ""
}

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// checkDatabase never repeats the address: it may hold a password.
func (c *Config) checkDatabase(r *report) {
	const help = `write "sqlite:PATH" or "postgres://USER@HOST/NAME"`
	if c.Database == "" {
		r.say("database", "missing; %s", help)
		return
	}
	if path, ok := strings.CutPrefix(c.Database, "sqlite:"); ok {
		if path == "" || strings.HasPrefix(path, ":memory:") {
			r.say("database", "sqlite needs a file; write it as in sqlite:/var/lib/postern/postern.db")
		}
		return
	}
	switch _, err := url.Parse(c.Database); {
	case err != nil:
		r.say("database", "this is not a URL (are special characters of the password written as %%xx?); %s", help)
	case !c.isPostgres():
		r.say("database", "this is neither SQLite nor PostgreSQL; %s", help)
	}
}

func (c *Config) isPostgres() bool {
	return strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://")
}

func (c *Config) checkDialects(r *report) {
	if c.Dialects != nil && len(c.Dialects) == 0 {
		r.say("dialects", "an empty list mounts nothing; name a dialect, or take the key out")
	}
	for _, m := range c.Dialects {
		if m.Node == nil {
			continue // not a mapping: told already
		}
		if (m.Name == "") == (m.File == "") {
			r.problems = append(r.problems, m.Node.Problem("a mount has either a name, of a built-in dialect, or a file"))
		}
		for host := range m.Hosts {
			if host != "login" && host != "api" {
				r.problems = append(r.problems, m.Node.Member("hosts").Unknown("login", "api")...)
				break
			}
		}
	}
}

func (c *Config) checkSecretKey(r *report) {
	switch {
	case c.SecretKey != "" && c.SecretKeyFile != "":
		r.say("secret_key_file", "secret_key is given too; give one of the two")
	case c.SecretKey != "":
		if _, err := vault.ParseKey(string(c.SecretKey)); err != nil {
			r.say("secret_key", "%s", err)
		}
	case c.SecretKeyFile == "" && c.isPostgres():
		r.say("secret_key", "missing; PostgreSQL needs one, the same on every node: %s makes one (secret_key_file keeps it in a file)", vault.HowToMake)
	}
}

func (c *Config) checkLifetimes(r *report) {
	l := &c.Lifetimes
	within := func(key string, d, least, most time.Duration, words string) {
		if d < least || d > most {
			r.say("lifetimes."+key, "%s is out of bounds; write %s", short(d), words)
		}
	}
	const century = 36500 * day
	within("code", l.Code, 10*time.Second, 10*time.Minute, "10s to 600s")
	within("access", l.Access, 5*time.Minute, century, "5m or more")
	within("refresh", l.Refresh, time.Hour, century, "1h or more")
	within("retry_window", l.RetryWindow, 0, 5*time.Minute, "0s to 300s")
	if find(r.root, "lifetimes.session_idle") == nil {
		l.SessionIdle = min(l.SessionIdle, l.Session)
	}
	within("signing_key", l.SigningKey, day, 3650*day, "1d to 3650d")
	within("session", l.Session, 5*time.Minute, 400*day, "5m to 400d")
	within("session_idle", l.SessionIdle, 5*time.Minute, 400*day, "5m to 400d")
	if l.SessionIdle > l.Session {
		r.say("lifetimes.session_idle", "%s is longer than session, %s", short(l.SessionIdle), short(l.Session))
	}
	if !l.RefreshAbsolute.Never {
		within("refresh_absolute", l.RefreshAbsolute.Of, time.Hour, century, "1h or more, or never")
	}
}

// short writes a duration as files do.
func short(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// DecodeYAML reads 10.0.0.0/8, or one address.
func (n *Network) DecodeYAML(node *yamlfile.Node) yamlfile.Problems {
	prefix, err := netip.ParsePrefix(node.Text)
	if err != nil {
		var ip netip.Addr
		if ip, err = netip.ParseAddr(node.Text); err == nil {
			prefix, err = ip.Unmap().WithZone("").Prefix(ip.Unmap().BitLen())
		}
	}
	if err != nil || node.Kind != yamlfile.Scalar {
		return yamlfile.Problems{node.Problem("%q is not a network; write it as in 10.0.0.0/8, or one address", node.Text)}
	}
	n.Prefix = prefix.Masked()
	return nil
}

// warnings are what an operator should know and may want.
func (c *Config) warnings(root *yamlfile.Node, file string) (list []string) {
	if c.Mail.InsecureSMTPWithoutTLS {
		list = append(list, "mail.insecure_smtp_without_tls is on: mails, the links in them and the server's password can be read on their way")
	}
	if c.InsecureLoopback {
		list = append(list, "insecure_loopback is on: apps may use http and loopback URLs; never where partners can reach it")
	}
	if holdsSecret(root) && openToAll(file) {
		list = append(list, fmt.Sprintf("%s holds a secret and everybody on this machine can read it: chmod 600 %s", file, file))
	}
	for _, path := range []string{c.SecretKeyFile, c.TLS.KeyFile} {
		if openToAll(path) {
			list = append(list, fmt.Sprintf("everybody on this machine can read the key in %s: chmod 600 %s", path, path))
		}
	}
	return list
}

// openToAll reports whether the file exists and everybody can read it.
func openToAll(path string) bool {
	if path == "" {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

// holdsSecret reports whether the file itself, not the environment, says
// something that others should not read.
func holdsSecret(root *yamlfile.Node) bool {
	inFile := func(key string) *yamlfile.Node {
		if n := find(root, key); n != nil && n.Line > 0 && n.Text != "" {
			return n
		}
		return nil
	}
	if inFile("secret_key") != nil {
		return true
	}
	for _, key := range []string{"database", "mail.smtp"} {
		address := inFile(key)
		if address == nil {
			continue
		}
		u, err := url.Parse(address.Text)
		if err != nil {
			return true // it may
		}
		if _, password := u.User.Password(); password || u.Query().Has("password") {
			return true
		}
	}
	return false
}
