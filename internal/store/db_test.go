package store

import (
	"context"
	"path/filepath"
	"testing"
)

func TestAFreshFileIsMigratedAndKeepsWhatIsWritten(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	err = db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, "INSERT INTO apis (id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4)", "a", "n", []byte{1}, 5)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var id string
	var disabled bool
	var h []byte
	if err := (read{db}).row(ctx, "SELECT id, disabled, secret_hash FROM apis WHERE id=$1 AND created_at=$2 AND id=$1", "a", 5).Scan(&id, &disabled, &h); err != nil {
		t.Fatal(err)
	}
	if id != "a" || disabled || len(h) != 1 || h[0] != 1 {
		t.Fatalf("it kept %q, %v, %v", id, disabled, h)
	}
}
