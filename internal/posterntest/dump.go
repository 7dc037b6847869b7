package posterntest

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Dump is all that a database holds, as text to search: SQLite's files as they
// lie there, PostgreSQL's rows.
func Dump(t testing.TB, database string) string {
	t.Helper()
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		return dumpFiles(t, path)
	}
	return dumpRows(t, database)
}

func dumpFiles(t testing.TB, path string) string {
	t.Helper()
	files, err := filepath.Glob(path + "*") // the WAL, its index and keys beside it
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", path, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func dumpRows(t testing.TB, database string) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		var text string
		err := conn.QueryRow(ctx, "SELECT coalesce(string_agg(r::text, E'\\n'), '') FROM "+pgx.Identifier{table}.Sanitize()+" r").Scan(&text)
		if err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		all.WriteString(text)
	}
	return all.String()
}

// Holds reports in which spelling a text holds a secret; "" if in none.
func Holds(text, secret string) string {
	for name, spelling := range map[string]string{
		"in clear": secret, "in hex": hex.EncodeToString([]byte(secret)),
		"in base64": base64.RawStdEncoding.EncodeToString([]byte(secret)),
	} {
		if strings.Contains(text, spelling) {
			return name
		}
	}
	return ""
}
