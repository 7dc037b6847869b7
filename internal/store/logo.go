package store

import (
	"context"
	"time"

	"postern.dev/postern/internal/logo"
)

const (
	wantedLogos = `
	SELECT a.id AS id, a.logo_url, FALSE AS proposed FROM apps a LEFT JOIN logos l ON l.app_id = a.id
	WHERE a.logo_url <> '' AND a.removed_at = 0 AND (l.app_id IS NULL OR l.url <> a.logo_url OR l.next_at <= $1)
	UNION ALL
	SELECT o.app_id, o.logo_url, TRUE FROM proposals o JOIN apps a ON a.id = o.app_id
	WHERE o.review = 'waiting' AND o.logo_url <> '' AND o.logo_url <> a.logo_url AND o.logo_hash = '' AND o.logo_next_at <= $1
	  AND a.removed_at = 0
	ORDER BY proposed DESC, id LIMIT $2`
	// What is not to be looked at again stays as it was first fetched, also when that
	// was before there were reviews.
	putLogo = `
	INSERT INTO logos (app_id, url, hash, image, problem, next_at)
	SELECT $1, $2, $3, $4, $5, $6 FROM apps WHERE id = $1 AND logo_url = $2 AND removed_at = 0
	ON CONFLICT (app_id) DO UPDATE SET url = excluded.url,
	  hash  = CASE WHEN ` + staysAsItIs + ` THEN logos.hash ELSE excluded.hash END,
	  image = CASE WHEN ` + staysAsItIs + ` THEN logos.image ELSE excluded.image END,
	  problem = excluded.problem, next_at = excluded.next_at
	WHERE logos.url <> excluded.url OR logos.next_at <= $7`
	staysAsItIs      = `logos.url = excluded.url AND logos.hash <> '' AND excluded.next_at >= 253402300799000`
	keepProposedLogo = `
	UPDATE proposals SET logo = $3, logo_hash = $4, logo_problem = '' WHERE app_id = $1 AND logo_url = $2 AND logo_hash = ''`
	keepProposedProblem = `
	UPDATE proposals SET logo_problem = $3, logo_next_at = $4 WHERE app_id = $1 AND logo_url = $2 AND logo_hash = ''`
	// A look that failed does not take away what was fetched from the same address.
	putLogoProblem = `
	INSERT INTO logos (app_id, url, problem, next_at) SELECT $1, $2, $3, $4 FROM apps WHERE id = $1 AND logo_url = $2 AND removed_at = 0
	ON CONFLICT (app_id) DO UPDATE SET
	  hash  = CASE WHEN logos.url = excluded.url THEN logos.hash ELSE '' END,
	  image = CASE WHEN logos.url = excluded.url THEN logos.image ELSE NULL END,
	  url = excluded.url, problem = excluded.problem, next_at = excluded.next_at`
	// Only what the app has now: what was taken away is shown to nobody who kept
	// its address.
	selectLogo = `
	SELECT l.image FROM logos l JOIN apps a ON a.id = l.app_id AND a.logo_url = l.url
	WHERE l.app_id = $1 AND l.hash = $2 AND l.hash <> '' AND a.removed_at = 0`
	dropLogo = `DELETE FROM logos WHERE app_id = $1`
)

// WantedLogos implements logo.Store.
func (db *DB) WantedLogos(ctx context.Context, now time.Time, limit int) ([]logo.Wanted, error) {
	return collect(ctx, read{db}, func(row scanner) (w logo.Wanted, err error) {
		err = row.Scan(&w.AppID, &w.URL, &w.Proposed)
		return w, err
	}, wantedLogos, ms(now), limit)
}

// SaveLogo implements logo.Store.
func (db *DB) SaveLogo(ctx context.Context, l logo.Fetched) error {
	return db.write(ctx, func(t *tx) (err error) {
		switch {
		case l.Proposed && l.Image == nil:
			_, err = t.exec(ctx, keepProposedProblem, l.AppID, l.URL, l.Problem, ms(l.NextAt))
		case l.Proposed:
			_, err = t.exec(ctx, keepProposedLogo, l.AppID, l.URL, l.Image, l.Hash)
		case l.Image == nil:
			_, err = t.exec(ctx, putLogoProblem, l.AppID, l.URL, l.Problem, ms(l.NextAt))
		default:
			_, err = t.exec(ctx, putLogo, l.AppID, l.URL, l.Hash, l.Image, l.Problem, ms(l.NextAt), ms(l.Asked))
		}
		return err
	})
}

// Logo implements web.Rows.
func (db *DB) Logo(ctx context.Context, appID, hash string) (png []byte, err error) {
	if err := (read{db}).row(ctx, selectLogo, appID, hash).Scan(&png); err != nil {
		return nil, db.missing(err, "logo")
	}
	return png, nil
}
