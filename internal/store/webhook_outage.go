package store

import (
	"context"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

const (
	// newOutages are those of endpoints that still have something to tell, and of
	// those that said 410, whose partner does not know yet.
	newOutages = `
	SELECT n.app_id, a.name, p.id, p.name, a.webhook_url, n.failing_since, n.gone_url = a.webhook_url
	FROM endpoints n JOIN apps a ON a.id = n.app_id JOIN partners p ON p.id = a.partner_id
	WHERE n.failing_since > 0 AND a.webhook_url <> '' AND a.removed_at = 0 AND NOT a.disabled AND NOT p.disabled
	  AND CASE WHEN n.gone_url = a.webhook_url THEN n.told_gone <> n.failing_since
	      ELSE n.told_failing <> n.failing_since AND n.failing_since <= $1 AND n.failures > 1
	           AND EXISTS (SELECT 1 FROM deliveries d WHERE d.app_id = n.app_id AND d.done_at = 0) END
	ORDER BY n.failing_since LIMIT $2`
	lastFailure = `
	SELECT number, at, status, error FROM attempts
	WHERE app_id = $1 AND at >= $2 AND (status < 200 OR status > 299) ORDER BY at DESC LIMIT 1`
	ownersOf = `
	SELECT s.email FROM partner_members m JOIN staff s ON s.id = m.staff_id
	WHERE m.partner_id = $1 AND m.role = 'owner' AND NOT s.disabled ORDER BY s.email`

	toldFailing = `UPDATE endpoints SET told_failing = $2 WHERE app_id = $1 AND failing_since = $2 AND told_failing <> $2`
	toldGone    = `UPDATE endpoints SET told_failing = $2, told_gone = $2 WHERE app_id = $1 AND failing_since = $2 AND told_gone <> $2`
)

// Outages implements webhook.Store.
func (db *DB) Outages(ctx context.Context, before time.Time, limit int) ([]*webhook.Outage, error) {
	var partners []string
	found, err := collect(ctx, read{db}, func(row scanner) (*webhook.Outage, error) {
		var o webhook.Outage
		var partner string
		var since int64
		err := row.Scan(&o.AppID, &o.AppName, &partner, &o.Partner, &o.URL, &since, &o.Gone)
		o.Since = at(since)
		partners = append(partners, partner)
		return &o, err
	}, newOutages, ms(before), limit)
	for i, o := range found {
		if err = db.completeOutage(ctx, o, partners[i]); err != nil {
			return nil, err
		}
	}
	return found, err
}

func (db *DB) completeOutage(ctx context.Context, o *webhook.Outage, partner string) (err error) {
	if o.Owners, err = column[string](ctx, read{db}, ownersOf, partner); err != nil {
		return err
	}
	err = each(ctx, read{db}, func(row scanner) error {
		var when int64
		err := row.Scan(&o.Last.Number, &when, &o.Last.Status, &o.Last.Error)
		o.Last.At = at(when)
		return err
	}, lastFailure, o.AppID, ms(o.Since))
	if err != nil {
		return err
	}
	return db.trouble(read{db}.row(ctx, countOpen, o.AppID).Scan(&o.Waiting))
}

// ToldOutage implements webhook.Store.
func (db *DB) ToldOutage(ctx context.Context, o *webhook.Outage, mails []postern.SealedMail) (told bool, err error) {
	mark := toldFailing
	if o.Gone {
		mark = toldGone
	}
	err = db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, mark, o.AppID, ms(o.Since))
		if told = n > 0; err != nil || !told {
			return err
		}
		return putMails(ctx, t, mails)
	})
	return told && err == nil, err
}
