// Package config is the operator's configuration: one YAML file, the
// environment, a few flags. It is read once at the front door, checked as a
// whole with all mistakes told at once, and handed on as plain values.
package config

import (
	"net/netip"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/yamlfile"
)

// Config is a checked configuration with its defaults filled in.
type Config struct {
	// Listen is host:port of the public listener.
	Listen string `yaml:"listen"`
	// PublicURL is the origin that people and partners use, and the issuer. It is
	// never taken from a request.
	PublicURL string `yaml:"public_url"`
	// Database is sqlite:PATH or a postgres:// URL.
	Database string `yaml:"database"`
	// InternalListen is host:port of a second listener that is never exposed;
	// empty: none.
	InternalListen string `yaml:"internal_listen"`
	// InsecureLoopback allows http and loopback addresses as redirect, webhook and
	// logo URLs. For development and tests.
	InsecureLoopback bool `yaml:"insecure_loopback"`
	// Dialects replaces the list of mounts; nil: the usual ones.
	Dialects []Mount `yaml:"dialects"`
	// Routes is a file that says which scopes each call of the API needs; empty:
	// none does.
	Routes string `yaml:"routes"`
	Check  Check  `yaml:"check"`
	// SecretKey and SecretKeyFile are the key that seals reusable secrets, in
	// base64; at most one of them is given.
	SecretKey     postern.Secret `yaml:"secret_key"`
	SecretKeyFile string         `yaml:"secret_key_file"`
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []Network `yaml:"trusted_proxies"`
	TLS            TLS       `yaml:"tls"`
	Log            Log       `yaml:"log"`
	Lifetimes      Lifetimes `yaml:"lifetimes"`
	Branding       Branding  `yaml:"branding"`
	SignIn         SignIn    `yaml:"sign_in"`
	Apps           Apps      `yaml:"apps"`
	Webhooks       Webhooks  `yaml:"webhooks"`
	// Portal is what the developer portal offers.
	Portal Portal `yaml:"portal"`
	// RequestLog bounds what is kept of apps' requests for the people who make them.
	RequestLog RequestLog `yaml:"request_log"`
	Mail       Mail       `yaml:"mail"`
}

// Mount is a dialect and where it is mounted: a built-in one by its name, or a
// file's.
type Mount struct {
	Name string  `yaml:"name"`
	File string  `yaml:"file"`
	Base *string `yaml:"base"` // nil: as its file says
	// Hosts are the hosts that the dialect's pages ("login") and its other
	// addresses ("api") are bound to; empty: any.
	Hosts map[string]string `yaml:"hosts"`
	Node  *yamlfile.Node    `yaml:",node"` // to report at
}

// Check bounds the token check.
type Check struct {
	// Away is how old the knowledge behind a yes may be while the database does not
	// answer. 0: never older than the call, so every check asks the database.
	Away time.Duration `yaml:"away"`
}

// TLS makes the public listener speak TLS itself. The files are read again when
// they change.
type TLS struct {
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}

// Lifetimes bound what is handed out, where a dialect's file does not say it.
type Lifetimes struct {
	Code            time.Duration `yaml:"code"`             // long enough to redirect, short enough to leak little
	Access          time.Duration `yaml:"access"`           // of access tokens
	Refresh         time.Duration `yaml:"refresh"`          // of refresh tokens, since their last use
	RefreshAbsolute yamlfile.Life `yaml:"refresh_absolute"` // of refresh tokens, since the approval
	RetryWindow     time.Duration `yaml:"retry_window"`     // in which a rotated refresh token gives the same answer again
	Session         time.Duration `yaml:"session"`          // of a sign-in
	SessionIdle     time.Duration `yaml:"session_idle"`     // of a sign-in, since its last use
	SigningKey      time.Duration `yaml:"signing_key"`      // of a key that signs access tokens, until the next takes over
}

// Branding is how pages look and whom they name.
type Branding struct {
	Name    string `yaml:"name"`
	Color   string `yaml:"color"`   // #rrggbb
	Logo    string `yaml:"logo"`    // an image file
	Support string `yaml:"support"` // whom to ask, as a sentence
}

// SignIn guards the sign-in page.
type SignIn struct {
	Attempts int `yaml:"attempts"` // wrong passwords before a person has to wait
	// Partners is how partners come: by invitation alone ("invite"), or by
	// registering themselves ("open"), then approved by an operator ("approve").
	Partners string `yaml:"partners"`
}

// Webhooks say where partners' endpoints may be and how long is told of.
type Webhooks struct {
	// AllowNetworks are networks beside the public internet that endpoints may be
	// in.
	AllowNetworks []Network     `yaml:"allow_networks"`
	History       time.Duration `yaml:"history"` // of deliveries
}

// Mail is by way of which server mails are sent, and under whose name; without
// either none are.
type Mail struct {
	SMTP postern.Secret `yaml:"smtp"` // smtp:// or smtps://, with user and password
	From string         `yaml:"from"` // Acme <no-reply@acme.com>
	// InsecureSMTPWithoutTLS sends mails, their links, and the password as anybody
	// on the way can read them. A server on loopback needs it not.
	InsecureSMTPWithoutTLS bool `yaml:"insecure_smtp_without_tls"`
}

// Server is the SMTP server of a checked configuration; nil: mail is not
// configured.
func (m *Mail) Server() *mail.Server {
	if m.SMTP == "" {
		return nil
	}
	s, _ := mail.ParseServer(m.SMTP, m.InsecureSMTPWithoutTLS) // was checked
	s.From, _ = mail.ParseFrom(m.From)
	return s
}

// RequestLog bounds the log of each app's requests.
type RequestLog struct {
	Most    int           `yaml:"most"`    // requests that are kept of one app; 0: none, they are only counted
	History time.Duration `yaml:"history"` // for how long
}

// Portal is what the developer portal offers.
type Portal struct {
	// SampleCall is an address of the API that answers GET. Partners' "Try it" calls
	// it with a sandbox token, and their quick starts name it as the first to call;
	// empty: the token check answers in its place.
	SampleCall string `yaml:"sample_call"`
	// PublicDocs shows the portal's docs to everybody.
	PublicDocs bool `yaml:"public_docs"`
}

// Network is an address range, also written as one address.
type Network struct{ netip.Prefix }

const (
	day = 24 * time.Hour
	// longestAway is as old as a yes may be at the most.
	longestAway = 5 * time.Second
)

func defaults() *Config {
	return &Config{
		Listen: "127.0.0.1:8080",
		Log:    Log{Level: "info", Format: "text"},
		Lifetimes: Lifetimes{
			Code: 5 * time.Minute, Access: time.Hour, Refresh: 180 * day, RefreshAbsolute: yamlfile.Life{Never: true},
			RetryWindow: 30 * time.Second, Session: 7 * day, SessionIdle: 12 * time.Hour,
			SigningKey: 90 * day,
		},
		Check:    Check{Away: longestAway},
		SignIn:   SignIn{Attempts: 10, Partners: "invite"},
		Apps:     Apps{Review: appsOpen},
		Webhooks: Webhooks{History: 30 * day},

		RequestLog: RequestLog{Most: 10_000, History: 7 * day},
	}
}
