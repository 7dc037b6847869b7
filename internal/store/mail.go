package store

import (
	"context"
	"time"

	"postern.dev/postern"
)

const (
	putMail = `INSERT INTO mails (id, sealed, at, due_at) VALUES ($1, $2, $3, $3)`
	mailDue = `SELECT count(*) FROM (SELECT id FROM mails WHERE due_at <= $1 LIMIT 1) m`
	mailOld = `SELECT count(*) FROM (SELECT id FROM mails WHERE at < $1 LIMIT 1) m`
	// takeMails asks again whether a mail is due once it has its row's lock: of
	// nodes that saw the same one, the others then leave it.
	takeMails = `
	UPDATE mails SET due_at = $2
	WHERE due_at <= $1 AND id IN (SELECT id FROM mails WHERE due_at <= $1 ORDER BY due_at LIMIT $3)
	RETURNING id, sealed, at, tries`
	putOffMail   = `UPDATE mails SET tries = $2, due_at = $3 WHERE id = $1`
	dropMail     = `DELETE FROM mails WHERE id = $1`
	dropOldMails = `
	DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE at < $1 LIMIT $2)
	RETURNING id, sealed, at, tries`
)

// KeepMails implements mail.Rows.
func (db *DB) KeepMails(ctx context.Context, mails ...postern.SealedMail) error {
	return db.write(ctx, func(t *tx) error { return putMails(ctx, t, mails) })
}

// putMails writes mails in the transaction of what they tell of.
func putMails(ctx context.Context, t *tx, mails []postern.SealedMail) error {
	for _, m := range mails {
		if _, err := t.exec(ctx, putMail, m.ID, m.Sealed, ms(m.At)); err != nil {
			return err
		}
	}
	return nil
}

// TakeMails implements mail.Rows.
func (db *DB) TakeMails(ctx context.Context, now, until time.Time, limit int) ([]postern.SealedMail, error) {
	due, err := db.exists(ctx, mailDue, ms(now))
	if err != nil || !due {
		return nil, err // so looking costs no write
	}
	return db.mails(ctx, takeMails, ms(now), ms(until), limit)
}

// PutOffMail implements mail.Rows.
func (db *DB) PutOffMail(ctx context.Context, id string, tries int, due time.Time) error {
	_, err := db.changed(ctx, putOffMail, id, tries, ms(due))
	return err
}

// DropMail implements mail.Rows.
func (db *DB) DropMail(ctx context.Context, id string) error {
	_, err := db.changed(ctx, dropMail, id)
	return err
}

// DropOldMails implements mail.Rows.
func (db *DB) DropOldMails(ctx context.Context, before time.Time, limit int) ([]postern.SealedMail, error) {
	old, err := db.exists(ctx, mailOld, ms(before))
	if err != nil || !old {
		return nil, err
	}
	return db.mails(ctx, dropOldMails, ms(before), limit)
}

// mails runs a statement that changes mails and gives them.
func (db *DB) mails(ctx context.Context, query string, args ...any) (list []postern.SealedMail, err error) {
	err = db.write(ctx, func(t *tx) (err error) {
		list, err = collect(ctx, t, scanMail, query, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

func scanMail(row scanner) (m postern.SealedMail, err error) {
	var written int64
	err = row.Scan(&m.ID, &m.Sealed, &written, &m.Tries)
	m.At = at(written)
	return m, err
}
