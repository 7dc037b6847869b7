package storetest

import (
	"crypto/rand"
	"errors"
	"sync"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// Of nodes that start at once on an empty database, with a key each, one key
// becomes the installation's and every other is refused.
func TestST06OneSecretKeyPerDatabase(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		ctx := t.Context()
		db, err := store.Open(ctx, database)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Installation(ctx, "secret_key"); !postern.Is(err, postern.NotFound) {
			t.Fatalf("an empty database: %v", err)
		}
		verdicts := make([]error, 8)
		var nodes sync.WaitGroup
		for i := range verdicts {
			nodes.Go(func() { verdicts[i] = vault.New(vault.Key{byte(i)}, rand.Reader).Prove(ctx, db) })
		}
		nodes.Wait()
		won := -1
		for i, err := range verdicts {
			switch {
			case err == nil && won >= 0:
				t.Errorf("both the keys %d and %d were accepted", won, i)
			case err == nil:
				won = i
			case !errors.Is(err, vault.ErrWrongKey):
				t.Errorf("key %d: %v", i, err)
			}
		}
		if won < 0 {
			t.Fatal("no key was accepted")
		}
		if err := vault.New(vault.Key{byte(won)}, rand.Reader).Prove(ctx, db); err != nil {
			t.Errorf("the same key later: %v", err)
		}
	})
}
