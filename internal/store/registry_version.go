package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/pressly/goose/v3"

	"postern.dev/postern"
)

// The registry's version is a counter's row that grows in every transaction that
// changes an app, its partner or its secrets. Triggers count, so whoever changes a
// row is counted; who counts holds the row to the end of its transaction, so two
// statements that read one version read the same apps. It never comes back: it is
// no smaller than the time in microseconds, also after a fail-over to a database
// that lacks the last changes.
const (
	startVersion = `INSERT INTO counters (name, value) VALUES ('registry_version', 0)`

	countOnSQLite = `
	UPDATE counters SET value = max(value + 1, CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)) WHERE name = 'registry_version';`
	// The schema is named because whoever changes a row by hand may be in another.
	countOnPostgres = `
	CREATE FUNCTION registry_changed() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
	  EXECUTE format($count$
	    UPDATE %I.counters SET value = greatest(value + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint) WHERE name = 'registry_version'
	  $count$, TG_TABLE_SCHEMA);
	  RETURN NULL;
	END $$`
)

// watched are the tables whose every change counts, but for updates of other
// columns: when a secret was last used is not one.
var watched = []struct{ table, update string }{
	{"apps", "UPDATE"},
	{"partners", "UPDATE"},
	{"app_secrets", "UPDATE OF id, app_id, name, hash, hint, created_at, expires_at, sealed"},
}

var watchRegistrySQLite, watchRegistryPostgres = watchRegistry()

// watchRegistry counts new rows too: a REPLACE of SQLite fires no other trigger.
func watchRegistry() (sqlite, postgres []string) {
	sqlite, postgres = []string{startVersion}, []string{startVersion, countOnPostgres}
	for _, w := range watched {
		for _, change := range []string{"INSERT", w.update, "DELETE"} {
			sqlite = append(sqlite, fmt.Sprintf("CREATE TRIGGER registry_%s_%.6s AFTER %s ON %s BEGIN %s END", w.table, change, change, w.table, countOnSQLite))
		}
		postgres = append(postgres, fmt.Sprintf(
			"CREATE TRIGGER registry_%s AFTER INSERT OR %s OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION registry_changed()", w.table, w.update, w.table))
	}
	return sqlite, postgres
}

// versionOfWatch is the schema's, from which on there is counting.
const versionOfWatch = 13

// watchRegistry is the migration that begins to count. It is not a file because
// the engines write triggers each their own way.
func (e engine) watchRegistry() *goose.Migration {
	return goose.NewGoMigration(versionOfWatch, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		for _, statement := range e.watch {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}}, nil)
}

// mostKnownApps bounds the memory, whoever is asked for.
const mostKnownApps = 4096

// appMemory keeps apps as they are at one version of the registry.
type appMemory struct {
	mu      sync.RWMutex
	version int64
	apps    map[string]*postern.App
}

// get gives a copy of an app as it is at this version, nil if it is not known.
func (k *appMemory) get(id string, version int64) *postern.App {
	k.mu.RLock()
	defer k.mu.RUnlock()
	app := k.apps[id]
	if app == nil || k.version != version {
		return nil
	}
	copied := *app
	return &copied
}

func (k *appMemory) put(app *postern.App) {
	copied := *app
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case app.Version < k.version:
		return
	case app.Version > k.version || len(k.apps) >= mostKnownApps || k.apps == nil:
		k.version, k.apps = app.Version, map[string]*postern.App{}
	}
	k.apps[app.ID] = &copied
}
