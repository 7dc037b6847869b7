package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// Outside is what comes from outside the program. What is missing is the real
// thing.
type Outside struct {
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
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

	vault *vault.Vault
}

// Build opens the database, brings its schema up to date, proves the secret key
// and builds the rooms. Close them in any case.
func Build(ctx context.Context, cfg *config.Config, outside Outside) (*Rooms, error) {
	o := outside.withDefaults()
	dialects, err := Mounts(cfg) // before anything is written
	if err != nil {
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
	people := &identity.Rules{Store: db, Now: o.Now, Random: o.Random, Log: o.Log, Limits: identity.Limits{
		Guesses: cfg.SignIn.Attempts, SessionIdle: cfg.Lifetimes.SessionIdle, SessionLife: cfg.Lifetimes.Session,
	}}
	return &Rooms{
		DB: db, Dialects: dialects, Identity: people, vault: v,
		OAuth:    &oauth.Rules{Store: db, Now: o.Now, Random: o.Random, Log: o.Log, Memory: oauth.NewMemory(db, o.Now, awayAtMost)},
		Registry: newRegistry(cfg, o, db, people, v, dialects),
	}, nil
}

// Close waits for what is written beside the requests and closes the database.
func (r *Rooms) Close() error {
	r.Identity.Close()
	_, err := r.OAuth.SaveUses(context.Background())
	return errors.Join(err, r.DB.Close())
}
