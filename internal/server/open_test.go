package server

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/posterntest/pg"
	"postern.dev/postern/internal/vault"
)

// onFile is a configuration for an SQLite file.
func onFile(t *testing.T, path string) *config.Config {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{Environ: []string{
		"POSTERN_DATABASE=sqlite:" + path, "POSTERN_PUBLIC_URL=https://connect.example.com", "POSTERN_LISTEN=127.0.0.1:0",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func onPostgres(t *testing.T, url string) *config.Config {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{Environ: []string{
		"POSTERN_DATABASE=" + url, "POSTERN_PUBLIC_URL=https://connect.example.com",
		"POSTERN_SECRET_KEY=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// start builds a node and ends it with the test.
func start(t *testing.T, cfg *config.Config) *Server {
	t.Helper()
	s, err := New(t.Context(), cfg, Outside{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// refuses wants a start to fail, soon, with these words, and to leave the file
// as it was.
func refuses(t *testing.T, cfg *config.Config, words ...string) {
	t.Helper()
	path := cfg.SQLitePath()
	before, _ := os.ReadFile(path)
	began := time.Now()
	s, err := New(t.Context(), cfg, Outside{})
	if err == nil {
		s.Close()
		t.Fatalf("started; wanted a refusal with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("said %q; wanted it to say %q", err, w)
		}
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if after, _ := os.ReadFile(path); path != "" && string(after) != string(before) {
		t.Error("the file was changed")
	}
}

func rawSQLite(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseThatIsNotOursIsRefusedInWords(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Run("not a database", func(t *testing.T) {
		refuses(t, onFile(t, file("text.db", "Dear diary, today I was mistaken for a database.")), "text.db is not an SQLite database", "name another file")
	})
	t.Run("a few bytes", func(t *testing.T) {
		refuses(t, onFile(t, file("few.db", "SQL")), "few.db is not an SQLite database")
	})
	t.Run("a broken database", func(t *testing.T) {
		refuses(t, onFile(t, file("broken.db", "SQLite format 3\x00"+strings.Repeat("\xff", 4096))), "broken.db is damaged", "restore it from a backup")
	})
	t.Run("a directory", func(t *testing.T) { refuses(t, onFile(t, dir), "is not a file", "postern.db") })
	t.Run("another program's", func(t *testing.T) {
		path := filepath.Join(dir, "wiki.db")
		rawSQLite(t, path, "CREATE TABLE pages (title TEXT); CREATE TABLE links (a TEXT)")
		refuses(t, onFile(t, path), "wiki.db belongs to another program", "links, pages", "one of its own")
	})
	t.Run("another program's that uses goose too", func(t *testing.T) {
		path := filepath.Join(dir, "goose.db")
		rawSQLite(t, path, "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY, version_id INTEGER, is_applied INTEGER, tstamp TEXT); INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1); CREATE TABLE pages (title TEXT)")
		refuses(t, onFile(t, path), "belongs to another program")
	})
	t.Run("no such place", func(t *testing.T) {
		refuses(t, onFile(t, file("plain", "")+"/postern.db"), "plain/postern.db", "not a directory")
	})
}

func TestI74ANewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postern.db")
	start(t, onFile(t, path)).Close()
	rawSQLite(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	refuses(t, onFile(t, path), "schema 9999", "newer Postern", "start the newer one")
}

func TestAPostgreSQLThatDoesNotAnswerIsToldWithoutItsPassword(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed.Close()
	for _, at := range []string{closed.Addr().String(), silent.Addr().String()} {
		const password = "pa55-marker"
		cfg := onPostgres(t, "postgres://postern:"+password+"@"+at+"/postern?sslmode=disable")
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second) // else it waits as long as answerTime
		_, err := New(ctx, cfg, Outside{})
		cancel()
		if err == nil || !strings.Contains(err.Error(), "does not answer: is it running") || strings.Contains(err.Error(), password) {
			t.Errorf("said %v", err)
		}
		if took := time.Since(began); took > answerTime {
			t.Errorf("it took %s", took)
		}
	}
}

func TestAPostgreSQLOfAnotherProgramIsRefused(t *testing.T) {
	url := pg.Empty(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE users (name TEXT)"); err != nil {
		t.Fatal(err)
	}
	refuses(t, onPostgres(t, url), "belongs to another program", "users")
}

func TestST06TheSecretKeyIsTheDatabasesOrNothingStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postern.db")
	cfg := onFile(t, path)
	start(t, cfg).Close()
	first, err := os.ReadFile(path + ".key")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("missing", func(t *testing.T) {
		if err := os.Rename(path+".key", path+".away"); err != nil {
			t.Fatal(err)
		}
		refuses(t, cfg, "the secret key of "+path+" is missing", "put "+path+".key back")
		if _, err := os.Stat(path + ".key"); err == nil {
			t.Error("another key was made")
		}
		if err := os.Rename(path+".away", path+".key"); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("of another installation", func(t *testing.T) {
		other := *cfg
		other.SecretKey = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
		_, err := New(t.Context(), &other, Outside{})
		if !errors.Is(err, vault.ErrWrongKey) || !strings.Contains(err.Error(), "give back the old one") {
			t.Errorf("said %v", err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		if err := os.WriteFile(path+".key", []byte("half a key"), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(t, cfg, path+".key", "32 bytes in base64")
		if err := os.WriteFile(path+".key", first, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	start(t, cfg)
}

func TestST07FilesAreForTheirOwnerWhateverTheUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, onFile(t, filepath.Join(dir, "postern.db")))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 4 { // database, WAL, its index, key
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	s.Close()
}

func TestOP12NodesThatStartAtOnceMigrateOnce(t *testing.T) {
	for engine, cfg := range map[string]*config.Config{
		"sqlite":   onFile(t, filepath.Join(t.TempDir(), "postern.db")),
		"postgres": onPostgres(t, pg.Empty(t)),
	} {
		t.Run(engine, func(t *testing.T) {
			var nodes sync.WaitGroup
			for range 4 {
				nodes.Go(func() {
					s, err := New(context.Background(), cfg, Outside{})
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			nodes.Wait()
		})
	}
}

func TestADoctorFindsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "postern.db")
	cfg := onFile(t, path)
	health := func() map[string]Health {
		found := map[string]Health{}
		for _, f := range Examine(t.Context(), cfg, time.Now()) {
			if found[f.Check] != Broken {
				found[f.Check] = f.Health
			}
			if f.Health != Fine && f.Do == "" && f.Detail == "" {
				t.Errorf("%s says nothing", f.Check)
			}
		}
		return found
	}
	if got := health(); got["database"] != Warning || len(got) != 3 {
		t.Errorf("before the first start: %v", got)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the doctor made the database")
	}
	start(t, cfg).Close()
	want := []string{"dialects", "files", "database", "schema", "secret key", "clock"}
	for got, i := health(), 0; i < len(want); i++ {
		if got[want[i]] != Fine {
			t.Errorf("a healthy installation: %s is %q", want[i], got[want[i]])
		}
	}
	if err := os.Chmod(path+".key", 0o644); err != nil {
		t.Fatal(err)
	}
	if got := health(); got["files"] != Warning {
		t.Errorf("a key that everybody can read: %v", got)
	}
	if err := os.Remove(path + ".key"); err != nil {
		t.Fatal(err)
	}
	if got := health(); got["secret key"] != Broken {
		t.Errorf("no key: %v", got)
	}
	cfg.Dialects = []config.Mount{{Name: "xref"}, {Name: "nonesuch"}}
	if got := health(); got["dialects"] != Broken {
		t.Errorf("no such dialect: %v", got)
	}
	if err := os.WriteFile(path, []byte("not a database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := health(); got["database"] != Broken {
		t.Errorf("a broken file: %v", got)
	}
}

func TestPartnersChooseAmongMountedDialectsOnly(t *testing.T) {
	cfg := &config.Config{Database: "sqlite:" + t.TempDir() + "/postern.db", Dialects: []config.Mount{{Name: "standard"}}, Apps: config.Apps{Dialects: []string{"xref"}}}
	if _, err := Build(t.Context(), cfg, Outside{}); err == nil || !strings.Contains(err.Error(), `apps.dialects: no dialect named "xref" is mounted`) {
		t.Errorf("got %v", err)
	}
}
