package store

import (
	"context"
	"strconv"
	"time"

	"postern.dev/postern/internal/signing"
)

const (
	selectSigningKeys = `
	SELECT number, id, public, sealed, created_at, signs_at, ends_at FROM signing_keys WHERE ends_at > $1 ORDER BY number`
	// addSigningKey decides who makes the next key: one caller's number is free.
	addSigningKey = `
	INSERT INTO signing_keys (number, id, public, sealed, created_at, signs_at, ends_at)
	SELECT $1, $2, $3, $4, $5, $6, $7
	WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE number >= $1)
	ON CONFLICT (number) DO NOTHING`
	endSigningKeys    = `UPDATE signing_keys SET ends_at = $2 WHERE number < $1 AND ends_at = 253402300799000`
	retireSigningKeys = `UPDATE signing_keys SET ends_at = $2 WHERE number < $1 AND ends_at > $2`
	dropSigningKeys   = `DELETE FROM signing_keys WHERE ends_at <= $1`
	selectAudience    = `SELECT id FROM apis WHERE NOT disabled ORDER BY id`
)

// SigningKeys implements signing.Store.
func (db *DB) SigningKeys(ctx context.Context, now time.Time) ([]signing.Key, error) {
	return collect(ctx, read{db}, func(row scanner) (k signing.Key, err error) {
		var public string
		var created, signs, ends int64
		err = row.Scan(&k.Number, &k.ID, &public, &k.Sealed, &created, &signs, &ends)
		k.Public, k.CreatedAt, k.SignsAt, k.Until = []byte(public), at(created), at(signs), at(ends)
		return k, err
	}, selectSigningKeys, ms(now))
}

// AddSigningKey implements signing.Store.
func (db *DB) AddSigningKey(ctx context.Context, k signing.Key, end time.Time, retire bool, actor string) (won bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, addSigningKey, k.Number, k.ID, string(k.Public), k.Sealed, ms(k.CreatedAt), ms(k.SignsAt), endMS(k.Until))
		if won = n == 1; err != nil || !won {
			return err
		}
		row := auditRow{At: k.CreatedAt, Actor: actor, Action: "key.made", Object: "key:" + k.ID, Detail: "number " + strconv.FormatInt(k.Number, 10)}
		if retire {
			row.Detail += "; all earlier keys retired at once"
			_, err = t.exec(ctx, retireSigningKeys, k.Number, ms(k.CreatedAt))
		} else {
			_, err = t.exec(ctx, endSigningKeys, k.Number, endMS(end))
		}
		if err != nil {
			return err
		}
		return audit(ctx, t, row)
	})
	return won && err == nil, err
}

// DropSigningKeys implements signing.Store.
func (db *DB) DropSigningKeys(ctx context.Context, now time.Time) (n int, err error) {
	err = db.write(ctx, func(t *tx) error {
		dropped, err := t.exec(ctx, dropSigningKeys, ms(now))
		n = int(dropped)
		return err
	})
	return n, err
}

// Audience implements signing.Store.
func (db *DB) Audience(ctx context.Context) ([]string, error) {
	return column[string](ctx, read{db}, selectAudience)
}
