package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// answerTime is how long a database may take to say its first word.
const answerTime = 10 * time.Second

// Open opens the database without writing to it and looks at what it holds.
// What is wrong with it is said in words, within seconds.
func Open(ctx context.Context, cfg *config.Config) (*store.DB, store.Condition, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if path := cfg.SQLitePath(); path != "" {
		if err := lookBefore(ctx, cfg, path); err != nil {
			return nil, store.Condition{}, err
		}
	}
	db, err := store.Open(ctx, cfg.Database)
	if err != nil {
		return nil, store.Condition{}, inWords(cfg, err)
	}
	found, err := db.Inspect(ctx)
	if err != nil {
		err = inWords(cfg, err)
	} else {
		err = mayUse(cfg, found)
	}
	if err != nil {
		return nil, found, errors.Join(err, db.Close())
	}
	return db, found, nil
}

// OpenMigrated opens the database and brings its schema up to date. Of several
// programs that start at once one does it and the others wait.
func OpenMigrated(ctx context.Context, cfg *config.Config) (*store.DB, error) {
	db, found, err := Open(ctx, cfg)
	if err != nil || found.Have == found.Want {
		return db, err
	}
	if err := db.Migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("bring the schema of %s up to date: %w", Name(cfg), err), db.Close())
	}
	return db, nil
}

// attend tells the operator where other processes serve the same file. They do
// each other no harm, and are seldom meant: an old process that was thought
// dead, or a second one of a supervisor's.
func (s *Server) attend(ctx context.Context) error {
	others, leave, err := s.DB.Attend(ctx, "listening on "+s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("the database %s: %w", Name(s.cfg), err)
	}
	s.leave = leave
	for _, other := range others {
		s.outside.Log.Warn("another Postern serves this database file, too: they take turns to write and harm nothing; stop one of them if that was not meant, and use PostgreSQL for several nodes",
			"file", Name(s.cfg), "process", other)
	}
	return nil
}

// Name is the database as messages call it: without its password.
func Name(cfg *config.Config) string {
	if path := cfg.SQLitePath(); path != "" {
		return path
	}
	u, err := url.Parse(cfg.Database)
	if err != nil {
		return "of the configuration"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// mayUse: another program's database is not ours, nor is a newer Postern's.
func mayUse(cfg *config.Config, found store.Condition) error {
	switch {
	case found.Foreign:
		return fmt.Errorf("the database %s belongs to another program (its tables: %s): give Postern one of its own", Name(cfg), some(found.Tables))
	case found.Have > found.Want:
		return fmt.Errorf("the database %s has the schema %d, made by a newer Postern; this one knows %d: start the newer one",
			Name(cfg), found.Have, found.Want)
	}
	return nil
}

// lookBefore makes sure, before an SQLite file is opened for writing, that it is
// one and that it may be ours. One that does not exist yet, or is empty, may
// become one.
func lookBefore(ctx context.Context, cfg *config.Config, path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the database: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("the database %s is not a file: name a file, such as %s/postern.db", path, strings.TrimRight(path, "/"))
	}
	const magic, logged = "SQLite format 3\x00", 2 // the byte at 18: ours have a write-ahead log
	head := make([]byte, 19)
	n, err := io.ReadFull(f, head)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		return nil
	case err != nil, !strings.HasPrefix(string(head), magic):
		return fmt.Errorf("%s is not an SQLite database: name another file, or restore it from a backup", path)
	case head[18] == logged:
		return nil // opening it changes nothing
	}
	found, err := store.Peek(ctx, path)
	if err != nil {
		return inWords(cfg, err)
	}
	return mayUse(cfg, found)
}

// inWords says what a driver's error means for whoever starts the program.
func inWords(cfg *config.Config, err error) error {
	switch {
	case store.IsDamaged(err):
		return fmt.Errorf("%s is damaged: restore it from a backup (%w)", Name(cfg), err)
	case cfg.SQLitePath() == "" && postern.Is(err, postern.Unavailable):
		return fmt.Errorf("the database %s does not answer: is it running, and reachable from here? (%w)", Name(cfg), withoutSecrets(cfg, err))
	case cfg.SQLitePath() == "":
		return fmt.Errorf("the database %s: %w", Name(cfg), withoutSecrets(cfg, err))
	}
	return fmt.Errorf("the database %s: %w", Name(cfg), err)
}

// withoutSecrets keeps a driver from repeating the password.
func withoutSecrets(cfg *config.Config, err error) error {
	text := err.Error()
	if e, ok := errors.AsType[*postern.Error](err); ok && e.Err != nil {
		text = e.Err.Error()
	}
	if u, parsing := url.Parse(cfg.Database); parsing == nil {
		for _, secret := range []string{password(u), u.Query().Get("password")} {
			if secret == "" {
				continue
			}
			text = strings.ReplaceAll(text, ":"+secret+"@", ":[secret]@")
			const telling = 6 // a shorter one would blot out innocent words
			if len(secret) >= telling {
				text = strings.ReplaceAll(text, secret, "[secret]")
			}
		}
	}
	return errors.New(strings.Join(strings.Fields(text), " "))
}

func password(u *url.URL) string {
	secret, _ := u.User.Password()
	return secret
}

func some(names []string) string {
	const shown = 5
	if len(names) > shown {
		return strings.Join(names[:shown], ", ") + " …"
	}
	return strings.Join(names, ", ")
}

// openVault finds the secret key and proves it against the database (ST-06). A
// key is made only where none was ever used, and never written over another.
func openVault(ctx context.Context, cfg *config.Config, db *store.DB, random io.Reader) (*vault.Vault, error) {
	key, err := secretKey(ctx, cfg, db, random)
	if err != nil {
		return nil, err
	}
	v := vault.New(key, random)
	return v, v.Prove(ctx, db)
}

func secretKey(ctx context.Context, cfg *config.Config, db *store.DB, random io.Reader) (vault.Key, error) {
	switch {
	case cfg.SecretKey != "":
		return vault.ParseKey(string(cfg.SecretKey))
	case cfg.SecretKeyFile != "":
		return vault.ReadKeyFile(cfg.SecretKeyFile)
	}
	file := KeyFile(cfg)
	key, err := vault.ReadKeyFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	used, err := vault.Used(ctx, db)
	if err != nil {
		return vault.Key{}, err
	}
	if used {
		return vault.Key{}, fmt.Errorf("the secret key of %s is missing: put %s back, or name it with secret_key_file; "+
			"no other key opens what it sealed", Name(cfg), file)
	}
	return vault.MakeKeyFile(file, random)
}

// KeyFile is where the secret key of an SQLite database is, unless the
// configuration names another place.
func KeyFile(cfg *config.Config) string { return cfg.SQLitePath() + ".key" }
