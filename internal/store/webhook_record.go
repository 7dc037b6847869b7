package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"postern.dev/postern/internal/webhook"
)

const (
	lockEndpoint = `SELECT ordered FROM endpoints WHERE app_id = $1`
	saveOutcome  = `
	UPDATE deliveries SET state = $3, attempts = $4, tries = $5, due_at = $6, done_at = $7, why = $8
	WHERE app_id = $1 AND position = $2 AND state = 'open'`
	saveHealth = `UPDATE endpoints SET failures = $2, failing_since = $3, success_at = $4, gone_url = $5 WHERE app_id = $1`
)

// What is usual is written some at a time: a statement costs a round trip,
// whatever it holds. A last group is filled up with its last row, which changes
// nothing twice. Each of these statements can use one index only, the one that is
// right at any size of the table.
const recordedAtOnce = 16

var (
	saveAttempts = `
	INSERT INTO attempts (app_id, position, number, at, took, status, error, reply) VALUES` +
		groupOf(recordedAtOnce, 1, "($1, $%d, $%d, $%d, $%d, $%d, $%d, $%d)") + ` ON CONFLICT DO NOTHING`

	saveDelivered = `
	UPDATE deliveries SET state = 'delivered', attempts = attempts + 1, tries = tries + 1, due_at = 0, done_at = $2, why = ''
	WHERE app_id = $1 AND state = 'open' AND position IN (` + groupOf(recordedAtOnce, 2, "$%d") + `)`

	// nextInLanes lets the first open one of each lane go.
	nextInLanes = `
	UPDATE deliveries SET due_at = 0
	WHERE app_id = $1 AND state = 'open' AND due_at = 253402300799000 AND position IN (` + groupOf(recordedAtOnce, 1, `
	  (SELECT d.position FROM deliveries d WHERE d.app_id = $1 AND d.lane = $%d AND d.done_at = 0 ORDER BY d.position LIMIT 1)`) + `)`
)

// groupOf repeats a row of a statement, with its parameters counted on from after
// the first ones.
func groupOf(n, first int, row string) string {
	each := strings.Count(row, "%d")
	rows := make([]string, n)
	for i := range rows {
		numbers := make([]any, each)
		for j := range numbers {
			numbers[j] = first + 1 + i*each + j
		}
		rows[i] = fmt.Sprintf(row, numbers...)
	}
	return strings.Join(rows, ", ")
}

// inGroups runs a statement for all rows of parameters, after those that stand
// first in each run.
func inGroups(ctx context.Context, t *tx, query string, first []any, rows [][]any) error {
	for group := range slices.Chunk(rows, recordedAtOnce) {
		args := slices.Clone(first)
		for i := range recordedAtOnce {
			args = append(args, group[min(i, len(group)-1)]...)
		}
		if _, err := t.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return nil
}

// Record implements webhook.Store. It holds the endpoint's row, as a fan-out
// does: so a delivery that joins a lane sees whether the lane is open, or is seen
// here.
func (db *DB) Record(ctx context.Context, appID string, h *webhook.Health, outcomes []webhook.Outcome) error {
	var attempts, delivered, ends, lanes [][]any
	var last int64
	for i := range outcomes {
		o := &outcomes[i]
		d, count, tries, done := o.Delivery, o.Delivery.Attempts, o.Delivery.Tries, int64(0)
		if a := o.Attempt; a != nil {
			count, tries = count+1, tries+1
			attempts = append(attempts, []any{d.Position, a.Number, ms(a.At), a.Took.Milliseconds(), a.Status, a.Error, a.Reply})
		}
		if o.State != webhook.Open {
			done = ms(o.At)
			lanes = append(lanes, []any{d.Lane})
		}
		if o.State == webhook.Delivered {
			delivered, last = append(delivered, []any{d.Position}), max(last, done)
			continue
		}
		ends = append(ends, []any{appID, d.Position, string(o.State), count, tries, ms(o.DueAt), done, o.Why})
	}
	app := []any{appID}
	return db.byIndex(ctx, func(t *tx) error {
		var ordered bool
		if err := t.row(ctx, lockEndpoint+db.engine.forRow, appID).Scan(&ordered); err != nil {
			return err
		}
		if err := inGroups(ctx, t, saveAttempts, app, attempts); err != nil {
			return err
		}
		if err := inGroups(ctx, t, saveDelivered, []any{appID, last}, delivered); err != nil {
			return err
		}
		for _, end := range ends {
			if _, err := t.exec(ctx, saveOutcome, end...); err != nil {
				return err
			}
		}
		if err := inGroups(ctx, t, nextInLanes, app, lanes); err != nil || h == nil {
			return err
		}
		_, err := t.exec(ctx, saveHealth, appID, h.Failures, ms(h.FailingSince), ms(h.LastSuccess), h.GoneURL)
		return err
	})
}
