package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/sandbox"
	"postern.dev/postern/internal/signing"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/webhook"
)

// Outside is what comes from outside the program. What is missing is the real
// thing.
type Outside struct {
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Tell hears of links that no mail carries, of people who come by themselves
	// and of those whom an owner invites;
	// nil: nobody does, and the operator makes another (postern partner link).
	Tell func(what, email, link string)
}

func (o Outside) withDefaults() Outside {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Rooms are the rules over one database, without doors: what a command of the
// terminal works with, and what a Server serves.
type Rooms struct {
	DB       *store.DB
	Dialects *dialect.Set
	OAuth    *oauth.Rules
	Identity *identity.Rules
	Registry *registry.Rules
	Webhooks *webhook.Rules
	Sandbox  *sandbox.Rules
	Requests *requestlog.Log
	Signing  *signing.Rules
	Mail     *mail.Outbox

	vault   *vault.Vault
	mounted *atomic.Pointer[dialect.Set] // the dialects now; a server may read them anew
	scratch string                       // a directory to remove in the end
}

// Build opens the database, brings its schema up to date, proves the secret key
// and builds the rooms. Close them in any case.
func Build(ctx context.Context, cfg *config.Config, outside Outside) (*Rooms, error) {
	o := outside.withDefaults()
	dialects, err := Mounts(cfg) // before anything is written
	if err != nil {
		return nil, err
	}
	if err := choosable(cfg, dialects); err != nil {
		return nil, err
	}
	db, err := OpenMigrated(ctx, cfg)
	if err != nil {
		return nil, err
	}
	v, err := openVault(ctx, cfg, db, o.Random)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	out := mail.New(mail.Outbox{Rows: db, Sealer: sealer{v}, Now: o.Now, Random: o.Random, Log: o.Log, Server: cfg.Mail.Server()})
	people := &identity.Rules{Mail: mailer{out}, PublicURL: cfg.PublicURL, Tell: o.Tell, Store: db, Now: o.Now, Random: o.Random, Log: o.Log, Limits: identity.Limits{
		Guesses: cfg.SignIn.Attempts, SessionIdle: cfg.Lifetimes.SessionIdle, SessionLife: cfg.Lifetimes.Session,
	}}
	keys := newSigning(cfg, o, db, v)
	mounted := &atomic.Pointer[dialect.Set]{}
	mounted.Store(dialects)
	return &Rooms{
		DB: db, Dialects: dialects, Identity: people, Signing: keys, vault: v, mounted: mounted,
		OAuth:    &oauth.Rules{Store: db, Now: o.Now, Random: o.Random, Log: o.Log, Sealed: sealer{v}, Signed: signed(cfg, keys, mounted), Memory: oauth.NewMemory(db, o.Now, cfg.Check.Away)},
		Registry: newRegistry(cfg, o, db, people, v, dialects, out),
		Requests: newRequestLog(cfg, o, db),
		Webhooks: newWebhooks(cfg, o, db, v, mounted, out),
		Sandbox:  &sandbox.Rules{Store: db, Sealer: sealer{v}, HashPassword: people.HashPassword, Now: o.Now, Random: o.Random},
		Mail:     out,
	}, nil
}

// Rehearse builds rooms for a dry run, which changes nothing: not even an empty
// database is made into Postern's. Where nothing was ever kept, a throw-away
// database stands in, for it holds the same: nothing.
func Rehearse(ctx context.Context, cfg *config.Config, outside Outside) (*Rooms, error) {
	empty, err := isEmpty(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if !empty {
		return Build(ctx, cfg, outside)
	}
	dir, err := os.MkdirTemp("", "postern-dry-run-")
	if err != nil {
		return nil, err
	}
	scratch := *cfg
	scratch.Database, scratch.SecretKey, scratch.SecretKeyFile = "sqlite:"+filepath.Join(dir, "postern.db"), "", ""
	rooms, err := Build(ctx, &scratch, outside)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	rooms.scratch = dir
	return rooms, nil
}

// isEmpty reports whether nothing was ever kept in the database: it has no
// schema yet, or no key has sealed anything.
func isEmpty(ctx context.Context, cfg *config.Config) (bool, error) {
	if path := cfg.SQLitePath(); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return true, nil
		}
	}
	db, found, err := Open(ctx, cfg)
	if err != nil {
		return false, err
	}
	used := false
	switch {
	case found.Have == found.Want:
		used, err = vault.Used(ctx, db)
	case found.Have > 0:
		err = fmt.Errorf("the schema of %s is older than this Postern's: bring it up to date with `postern migrate` first", Name(cfg))
	}
	return !used, errors.Join(err, db.Close())
}

// Close waits for what is written beside the requests and closes the database.
func (r *Rooms) Close() error {
	r.Identity.Close()
	err := r.OAuth.SaveAllUses(context.Background())
	err = errors.Join(err, r.Requests.Flush(context.Background()))
	err = errors.Join(err, r.DB.Close())
	if r.scratch != "" {
		err = errors.Join(err, os.RemoveAll(r.scratch))
	}
	return err
}
