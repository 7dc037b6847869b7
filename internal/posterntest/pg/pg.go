// Package pg gives tests a PostgreSQL: each test a database of its own, copied
// in milliseconds from a template that was migrated once.
//
// The server is the one that POSTERN_TEST_POSTGRES names, where databases may
// be made; without it, one that this process starts for itself (see Server).
// `make test` starts one for all packages.
//
// It knows the schema as the migration files, not through package store, so
// that store's own tests can use it.
package pg

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"github.com/pressly/goose/v3"

	"postern.dev/postern/internal/posterntest/needs"
)

// Variable names the environment variable with the server's URL.
const Variable = "POSTERN_TEST_POSTGRES"

// URL gives a fresh, migrated database that is dropped after the test.
func URL(t testing.TB) string {
	t.Helper()
	return fresh(t, migrated)
}

// Empty gives a fresh database with nothing in it.
func Empty(t testing.TB) string {
	t.Helper()
	return fresh(t, func(context.Context, string) (string, error) { return "template0", nil })
}

func fresh(t testing.TB, template func(ctx context.Context, server string) (string, error)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	server, err := server()
	if errors.Is(err, ErrNotInstalled) {
		needs.Lacking(t, err.Error())
	}
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	from, err := template(ctx, server)
	if err != nil {
		t.Fatalf("PostgreSQL for tests: make the template database: %v", err)
	}
	name := "test_" + random()
	// Copying files is half the work of copying through the log, where nothing is
	// synced. PostgreSQL has the choice since 15.
	if err := do(ctx, server, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", name, from)); err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	t.Cleanup(func() {
		// Its own context: the test's has ended.
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := do(ctx, server, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Errorf("PostgreSQL for tests: %v", err)
		}
	})
	return inDatabase(server, name)
}

// server is the URL of the server for this process.
func server() (string, error) {
	if address := os.Getenv(Variable); address != "" {
		return address, nil
	}
	s, err := own()
	if err != nil {
		return "", err
	}
	return s.URL, nil
}

// own is this process's own server, started at first need; it stops when the
// process ends.
var own = sync.OnceValues(func() (*Server, error) { return Start() })

// migrated makes the template, once for each state of the migration files. Of
// several processes one makes it and the others wait.
func migrated(ctx context.Context, server string) (string, error) {
	dir, err := Migrations()
	if err != nil {
		return "", err
	}
	name, err := templateName(dir)
	if err != nil {
		return "", err
	}
	if _, done := templates.Load(server + name); done {
		return name, nil
	}
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext('postern test template'))"); err != nil {
		return "", err
	}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
		return "", err
	}
	if !exists {
		if err := makeTemplate(ctx, conn, server, name, dir); err != nil {
			return "", err
		}
	}
	templates.Store(server+name, true)
	return name, nil
}

// templates are those known to exist, by server and name.
var templates sync.Map

// makeTemplate migrates under another name and renames last, so that no half
// template is ever found.
func makeTemplate(ctx context.Context, conn *pgx.Conn, server, name string, dir fs.FS) error {
	half := "half_" + random()
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+half+" TEMPLATE template0"); err != nil {
		return err
	}
	if err := migrate(ctx, inDatabase(server, half), dir); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", half, name))
	return err
}

func migrate(ctx context.Context, address string, dir fs.FS) error {
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir)
	if err == nil {
		_, err = p.UpTo(ctx, ByFiles)
	}
	return errors.Join(err, db.Close())
}

func templateName(dir fs.FS) (string, error) {
	files, err := fs.Glob(dir, "*.sql") // sorted
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range files {
		text, err := fs.ReadFile(dir, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", name, len(text), text)
	}
	return "template_" + hex.EncodeToString(sum.Sum(nil)[:10]), nil
}

// ByFiles is the version up to which the schema is made of files alone. What is
// after it, a test's own store brings about: the next step is a program's.
const ByFiles = 12

// Migrations finds the files of the schema from the package's directory, where tests run.
func Migrations() (fs.FS, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return os.DirFS(filepath.Join(dir, "internal", "store", "migrations")), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, errors.New("no go.mod above the working directory: run tests inside the source tree")
		}
		dir = parent
	}
}

func do(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func inDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil { // it was connected to
		panic(err)
	}
	u.Path = "/" + name
	return u.String()
}

func random() string {
	b := make([]byte, 8)
	rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
