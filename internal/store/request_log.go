package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/requestlog"
)

const (
	appExists = `SELECT id FROM apps WHERE id = $1 AND removed_at = 0`

	addMore   = `UPDATE request_log SET more = more + $3 WHERE app_id = $1 AND id = $2`
	addCounts = `
	INSERT INTO request_counts (app_id, day, endpoint, calls, errors, strangers) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (app_id, day, endpoint) DO UPDATE SET calls = request_counts.calls + $4, errors = request_counts.errors + $5,
	  strangers = request_counts.strangers + $6`

	requestColumns = `
	SELECT l.id, l.began, l.request_id, l.dialect, l.endpoint, l.method, l.grant_type, l.status, l.took, l.address,
	  l.outcome, l.kind, l.rule, l.facts, l.proved, l.account_id, l.connection_id, l.sent, l.more,
	  COALESCE(a.name, ''), COALESCE(a.sandbox_of, '')
	FROM request_log l LEFT JOIN accounts a ON a.id = l.account_id WHERE l.app_id = $1 AND `
	// Filters: what is empty asks for nothing.
	listRequests = requestColumns + `l.id < $2 AND ($3 = '' OR l.outcome = $3) AND ($4 = '' OR l.account_id = $4 OR a.name = $4)
	  AND ($5 = '' OR l.connection_id = $5) AND ($6 = '' OR l.endpoint = $6) AND ($7 = '' OR l.request_id = $7)
	  AND ($9 = '' OR l.proved = ($9 = 'own'))
	ORDER BY l.id DESC LIMIT $8`
	oneRequest = requestColumns + `l.id = $2`

	listCounts = `SELECT day, endpoint, calls, errors, strangers FROM request_counts WHERE app_id = $1 AND day >= $2 ORDER BY day, endpoint`
	dropCounts = `DELETE FROM request_counts WHERE app_id = $1 AND day < $2`
	dropOld    = `
	DELETE FROM request_log WHERE app_id = $1 AND id IN
	  (SELECT id FROM request_log WHERE app_id = $1 AND id < $2 ORDER BY id LIMIT $3)`
	// lastKept is the latest entry that is one too many.
	lastKept  = `SELECT id FROM request_log WHERE app_id = $1 AND proved = $2 ORDER BY id DESC LIMIT 1 OFFSET $3`
	dropExtra = `
	DELETE FROM request_log WHERE app_id = $1 AND id IN
	  (SELECT id FROM request_log WHERE app_id = $1 AND proved = $2 AND id <= $3 ORDER BY id LIMIT $4)`
	// Each app is found by a step in the index, however many entries it has.
	nextLogged = `
	SELECT MIN(app_id) FROM (SELECT MIN(app_id) AS app_id FROM request_log WHERE app_id > $1
	  UNION ALL SELECT MIN(app_id) AS app_id FROM request_counts WHERE app_id > $1) n`
)

var lastOfConnections = requestColumns + `l.id IN
	(SELECT MAX(m.id) FROM request_log m WHERE m.app_id = $1 AND m.endpoint = $2
	   AND m.connection_id IN (` + groupOf(keysAtOnce, 2, "$%d") + `) GROUP BY m.connection_id)`

// saveRequests writes some at a time; see saveAttempts.
var saveRequests = `
	INSERT INTO request_log (app_id, id, began, request_id, dialect, endpoint, method, grant_type, status, took, address,
	  outcome, kind, rule, facts, proved, account_id, connection_id, sent, more) VALUES` +
	groupOf(recordedAtOnce, 0, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)") +
	` ON CONFLICT DO NOTHING`

// SaveRequests implements requestlog.Store.
func (db *DB) SaveRequests(ctx context.Context, b requestlog.Batch) error {
	return db.write(ctx, func(t *tx) error {
		known := knownApps{}
		var rows [][]any
		for i := range b.Entries {
			e := &b.Entries[i]
			is, err := known.has(ctx, t, e.AppID)
			if err != nil {
				return err
			}
			if is {
				rows = append(rows, requestRow(e))
			}
		}
		if err := inGroups(ctx, t, saveRequests, nil, rows); err != nil {
			return err
		}
		for _, m := range b.More {
			if _, err := t.exec(ctx, addMore, m.AppID, m.ID, m.N); err != nil {
				return err
			}
		}
		for _, c := range b.Counts {
			is, err := known.has(ctx, t, c.AppID)
			if err == nil && is {
				_, err = t.exec(ctx, addCounts, c.AppID, c.Day, c.Endpoint, c.Calls, c.Errors, c.Strangers)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// knownApps remembers, for one batch, which apps exist.
type knownApps map[string]bool

func (k knownApps) has(ctx context.Context, t *tx, id string) (bool, error) {
	if is, asked := k[id]; asked {
		return is, nil
	}
	if plainText(id) != id { // no row can hold it
		return false, nil
	}
	var found string
	err := t.row(ctx, appExists, id).Scan(&found)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, err
	}
	k[id] = err == nil
	return k[id], nil
}

// plainText is a text that every engine can hold: PostgreSQL refuses a whole batch
// for one NUL, or for what is not UTF-8.
func plainText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func requestRow(e *requestlog.Entry) []any {
	facts := "{}"
	if len(e.Facts) > 0 {
		if text, err := json.Marshal(e.Facts); err == nil { // a map of texts always can be
			facts = string(text)
		}
	}
	return []any{
		e.AppID, e.ID, ms(e.At), plainText(e.RequestID), e.Dialect, e.Endpoint, plainText(e.Method), plainText(e.Grant), e.Status, e.Took.Microseconds(),
		plainText(e.Address), string(e.Outcome), string(e.Kind), string(e.Rule), facts, e.Proved, plainText(e.AccountID), plainText(e.ConnectionID),
		plainText(e.Sent), e.More,
	}
}

// Requests implements requestlog.Store.
func (db *DB) Requests(ctx context.Context, appID string, f requestlog.Filter, limit int) ([]requestlog.Entry, error) {
	before := f.Before
	if before <= 0 {
		before = 1<<63 - 1
	}
	return db.requests(ctx, appID, listRequests, before, plainText(string(f.Outcome)), plainText(f.Account), plainText(f.ConnectionID),
		plainText(f.Endpoint), plainText(f.RequestID), limit, plainText(string(f.Origin)))
}

// Request implements requestlog.Store.
func (db *DB) Request(ctx context.Context, appID string, id int64) (*requestlog.Entry, error) {
	list, err := db.requests(ctx, appID, oneRequest, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, notFound("request")
	}
	return &list[0], nil
}

// LastOfConnections implements requestlog.Store.
func (db *DB) LastOfConnections(ctx context.Context, appID, endpoint string, connections []string) (map[string]requestlog.Entry, error) {
	last := make(map[string]requestlog.Entry, len(connections))
	for group := range slices.Chunk(connections, keysAtOnce) {
		list, err := db.requests(ctx, appID, lastOfConnections, append([]any{endpoint}, filledUp(group)...)...)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			last[e.ConnectionID] = e
		}
	}
	return last, nil
}

func (db *DB) requests(ctx context.Context, appID, query string, args ...any) ([]requestlog.Entry, error) {
	return collect(ctx, read{db}, func(row scanner) (requestlog.Entry, error) {
		e := requestlog.Entry{AppID: appID}
		var began, took int64
		var outcome, kind, rule, facts string
		err := row.Scan(&e.ID, &began, &e.RequestID, &e.Dialect, &e.Endpoint, &e.Method, &e.Grant, &e.Status, &took, &e.Address,
			&outcome, &kind, &rule, &facts, &e.Proved, &e.AccountID, &e.ConnectionID, &e.Sent, &e.More, &e.AccountName, &e.SandboxOf)
		if err != nil {
			return e, err
		}
		e.At, e.Took = at(began), time.Duration(took)*time.Microsecond
		e.Outcome, e.Kind, e.Rule = requestlog.Outcome(outcome), postern.Kind(kind), postern.Rule(rule)
		return e, json.Unmarshal([]byte(facts), &e.Facts)
	}, query, append([]any{appID}, args...)...)
}

// Counts implements requestlog.Store.
func (db *DB) Counts(ctx context.Context, appID string, from int64) ([]requestlog.Count, error) {
	return collect(ctx, read{db}, func(row scanner) (requestlog.Count, error) {
		c := requestlog.Count{AppID: appID}
		err := row.Scan(&c.Day, &c.Endpoint, &c.Calls, &c.Errors, &c.Strangers)
		return c, err
	}, listCounts, appID, from)
}

// PruneRequests implements requestlog.Store.
func (db *DB) PruneRequests(ctx context.Context, appID string, below int64, own, strangers, limit int) (int, error) {
	removed := 0
	err := db.write(ctx, func(t *tx) error {
		removed = 0
		if below > 0 {
			n, err := t.exec(ctx, dropOld, appID, below, limit)
			if removed = int(n); err != nil {
				return err
			}
		}
		for _, kept := range []struct {
			proved bool
			most   int
		}{{true, own}, {false, strangers}} {
			if kept.most == 0 || removed >= limit {
				continue
			}
			var last int64
			err := t.row(ctx, lastKept, appID, kept.proved, kept.most).Scan(&last)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return err
			}
			n, err := t.exec(ctx, dropExtra, appID, kept.proved, last, limit-removed)
			if removed += int(n); err != nil {
				return err
			}
		}
		return nil
	})
	return removed, err
}

// PruneCounts implements requestlog.Store.
func (db *DB) PruneCounts(ctx context.Context, appID string, before int64) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, dropCounts, appID, before)
		return err
	})
}

// LoggedApps implements requestlog.Store.
func (db *DB) LoggedApps(ctx context.Context, after string, limit int) ([]string, error) {
	var list []string
	for len(list) < limit {
		var next sql.NullString
		if err := (read{db}).row(ctx, nextLogged, after).Scan(&next); err != nil {
			return nil, db.trouble(err)
		}
		if !next.Valid {
			break
		}
		list, after = append(list, next.String), next.String
	}
	return list, nil
}
