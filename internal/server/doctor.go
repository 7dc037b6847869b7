package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/yamlfile"
)

// Finding is what a doctor says of one part of an installation.
type Finding struct {
	Check  string `json:"check"`
	Health Health `json:"health"`
	Detail string `json:"detail"`
	Do     string `json:"do,omitempty"` // what to do about it
}

// Health is how a part is.
type Health string

const (
	Fine    Health = "ok"
	Warning Health = "warning" // it works, and should not stay so
	Broken  Health = "broken"  // it will not work
)

// Examine looks at every part of an installation and says what to do where one
// is not well. It changes nothing, and asks nobody but the database.
func Examine(ctx context.Context, cfg *config.Config, now time.Time) []Finding {
	findings := append(examineDialects(cfg), examineFiles(cfg)...)
	if cfg.Routes != "" {
		findings = append(findings, examineRoutes(cfg))
	}
	if cfg.TLS.CertFile != "" {
		findings = append(findings, examineCertificate(cfg, now))
	}
	if cfg.InsecureLoopback {
		findings = append(findings, Finding{"insecure_loopback", Warning, "apps may use http and loopback URLs",
			"take insecure_loopback out where partners can reach this server"})
	}
	if host, _, err := net.SplitHostPort(cfg.InternalListen); err == nil {
		if at, err := netip.ParseAddr(host); host == "" || err == nil && (at.IsUnspecified() || postern.GlobalUnicast(at)) {
			findings = append(findings, Finding{"internal_listen", Warning, cfg.InternalListen + " can be reached from other machines",
				"use a loopback or private address: whoever reaches it may check tokens and read profiles"})
		}
	}
	return append(findings, examineDatabase(ctx, cfg, now)...)
}

// broken tells of trouble whose message already says what to do.
func broken(check string, err error) Finding { return Finding{check, Broken, err.Error(), ""} }

func examineRoutes(cfg *config.Config) Finding {
	mounted, err := Mounts(cfg)
	if err != nil {
		return Finding{"routes", Warning, "not looked at: the dialects are broken", "mend the dialects first"}
	}
	table, err := Routes(cfg, mounted)
	if err != nil {
		return broken("routes", err)
	}
	return Finding{"routes", Fine, fmt.Sprintf("%d rules in %s", len(table.List().Rules), cfg.Routes), ""}
}

func examineDialects(cfg *config.Config) []Finding {
	set, err := Mounts(cfg)
	if problems, ok := errors.AsType[yamlfile.Problems](err); ok {
		findings := make([]Finding, len(problems))
		for i, p := range problems {
			findings[i] = broken("dialects", p)
		}
		return findings
	}
	if err != nil {
		return []Finding{broken("dialects", err)}
	}
	var names []string
	weak := 0
	for _, d := range set.List() {
		names = append(names, d.Name()+" at "+d.Base()+"/")
		weak += len(d.Insecure())
	}
	all := Finding{"dialects", Fine, strings.Join(names, ", "), ""}
	if weak > 0 {
		all.Health, all.Detail = Warning, fmt.Sprintf("%s; %d insecure_ keys are set", all.Detail, weak)
		all.Do = "`postern dialect show NAME --full` tells each with its reason; move partners away from them"
	}
	return []Finding{all}
}

// examineFiles: what holds secrets is for its owner alone.
func examineFiles(cfg *config.Config) (findings []Finding) {
	files := []string{cfg.SecretKeyFile, cfg.TLS.KeyFile}
	if path := cfg.SQLitePath(); path != "" {
		files = append(files, path, path+"-wal", path+"-shm", KeyFile(cfg))
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		info, err := os.Stat(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			findings = append(findings, broken("files", err))
		case info.Mode().Perm()&0o077 != 0:
			findings = append(findings, Finding{"files", Warning, fmt.Sprintf("%s can be used by others (mode %04o)", file, info.Mode().Perm()), "chmod 600 " + file})
		}
	}
	if len(findings) == 0 {
		return []Finding{{"files", Fine, "the database and its keys are for their owner alone", ""}}
	}
	return findings
}

func examineCertificate(cfg *config.Config, now time.Time) Finding {
	pair, err := tls.LoadX509KeyPair(cfg.TLS.CertFile, cfg.TLS.KeyFile)
	if err != nil {
		return broken("tls", err)
	}
	const soon = 14 * 24 * time.Hour
	ends := pair.Leaf.NotAfter
	until := "until " + ends.UTC().Format(time.DateOnly)
	origin, err := url.Parse(cfg.PublicURL)
	if err == nil {
		err = pair.Leaf.VerifyHostname(origin.Hostname())
	}
	switch {
	case now.After(ends):
		return Finding{"tls", Broken, "the certificate was good " + until, "put a new one at " + cfg.TLS.CertFile + "; a restart is not needed"}
	case err != nil:
		return Finding{"tls", Broken, err.Error(), "get a certificate for the host of public_url"}
	case ends.Sub(now) < soon:
		return Finding{"tls", Warning, "the certificate is good " + until + " only", "put a new one at " + cfg.TLS.CertFile + "; a restart is not needed"}
	}
	return Finding{"tls", Fine, "the certificate is good " + until, ""}
}

func examineDatabase(ctx context.Context, cfg *config.Config, now time.Time) []Finding {
	if path := cfg.SQLitePath(); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return []Finding{{"database", Warning, path + " does not exist yet", "`postern serve`, `apply` and `migrate` make it"}}
		}
	}
	db, found, err := Open(ctx, cfg)
	if err != nil {
		return []Finding{broken("database", err)}
	}
	defer db.Close()
	findings := []Finding{examineRows(ctx, cfg, db), examineSchema(found)}
	if found.Have == found.Want {
		findings = append(findings, examineKey(ctx, cfg, db), examineClock(ctx, db, now))
	}
	return findings
}

func examineRows(ctx context.Context, cfg *config.Config, db *store.DB) Finding {
	damage, err := db.Intact(ctx)
	switch {
	case err != nil:
		return broken("database", inWords(cfg, err))
	case damage != "":
		return Finding{"database", Broken, Name(cfg) + " is damaged: " + damage, "restore it from a backup"}
	}
	return Finding{"database", Fine, Name(cfg) + " answers", ""}
}

func examineSchema(found store.Condition) Finding {
	if found.Have < found.Want {
		return Finding{"schema", Warning, fmt.Sprintf("version %d; this Postern wants %d", found.Have, found.Want),
			"`postern migrate` brings it up to date; so does the next start"}
	}
	return Finding{"schema", Fine, fmt.Sprintf("version %d", found.Have), ""}
}

// examineKey proves the key without making one.
func examineKey(ctx context.Context, cfg *config.Config, db *store.DB) Finding {
	used, err := vault.Used(ctx, db)
	if err != nil {
		return broken("secret key", err)
	}
	if !used {
		return Finding{"secret key", Fine, "none was used yet", ""}
	}
	if _, err := openVault(ctx, cfg, db, nil); err != nil {
		return broken("secret key", err)
	}
	return Finding{"secret key", Fine, "it opens what was sealed", ""}
}

// examineClock compares this machine's clock with the database's and with what
// was written last. Codes live for minutes: a clock that is wrong by one shows.
func examineClock(ctx context.Context, db *store.DB, now time.Time) Finding {
	const most = 30 * time.Second
	theirs, latest, err := db.Clock(ctx)
	switch {
	case err != nil:
		return broken("clock", err)
	case !theirs.IsZero() && theirs.Sub(now).Abs() > most:
		return Finding{"clock", Warning, fmt.Sprintf("the database's clock says %s, this machine's %s", stamp(theirs), stamp(now)),
			"let both follow a time server"}
	case latest.Sub(now) > most:
		return Finding{"clock", Warning, fmt.Sprintf("it is %s, yet something was written at %s", stamp(now), stamp(latest)),
			"let this machine follow a time server"}
	}
	return Finding{"clock", Fine, stamp(now), ""}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
