package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// A code is read with its account, its approver and the account's wire id.
const (
	codeColumns = `
	c.hash, COALESCE(c.dialect, ''), COALESCE(c.app_id, ''), COALESCE(c.level, ''), COALESCE(c.redirect_uri, ''),
	COALESCE(c.sent_uri, FALSE), COALESCE(c.challenge, ''), COALESCE(c.scopes, ''), COALESCE(c.second_scopes, ''), COALESCE(c.kept, ''),
	COALESCE(c.created_at, 0), COALESCE(c.expires_at, 0), COALESCE(c.spent_at, 0), COALESCE(c.outcome, ''),
	COALESCE(m.role, ''), ` + peopleColumns

	codeTables = `
	LEFT JOIN codes c ON c.hash = $1
	LEFT JOIN memberships m ON m.account_id = c.account_id AND m.user_id = c.user_id` + peopleTables

	// The account and the approver of a code, NULL when there is no code.
	peopleColumns = `
	COALESCE(ac.id, ''), COALESCE(ac.handle, ''), COALESCE(ac.name, ''), COALESCE(ac.number, 0),
	COALESCE(ac.attributes, ''), COALESCE(ac.disabled, FALSE) OR COALESCE(ac.removed_at, 0) <> 0, COALESCE(w.wire_id, ac.id, ''), COALESCE(ac.sandbox_of, ''),
	COALESCE(u.id, ''), COALESCE(u.email, ''), COALESCE(u.name, ''), COALESCE(u.number, 0), COALESCE(u.nickname, ''),
	COALESCE(u.wire_nickname, ''), COALESCE(u.attributes, ''), COALESCE(u.disabled, FALSE) OR COALESCE(u.removed_at, 0) <> 0`

	peopleTables = `
	LEFT JOIN accounts ac ON ac.id = c.account_id
	LEFT JOIN users u ON u.id = c.user_id
	LEFT JOIN account_ids w ON w.dialect = c.dialect AND w.account_id = c.account_id`
)

type peopleRow struct {
	account                 postern.Account
	user                    postern.User
	accountAttrs, userAttrs string
}

func (r *peopleRow) fields() []any {
	a, u := &r.account, &r.user
	return []any{
		&a.ID, &a.Handle, &a.Name, &a.Number, &r.accountAttrs, &a.Disabled, &a.WireID, &a.SandboxOf,
		&u.ID, &u.Email, &u.Name, &u.Number, &u.Nickname, &u.WireNickname, &r.userAttrs, &u.Disabled,
	}
}

func (r *peopleRow) people() (postern.Account, postern.User, error) {
	var err, err2 error
	r.account.Attributes, err = attributes(r.accountAttrs)
	r.user.Attributes, err2 = attributes(r.userAttrs)
	return r.account, r.user, errors.Join(err, err2)
}

type codeRow struct {
	hash                                       []byte
	c                                          postern.Code
	level, scopes, second, kept, outcome, role string
	created, expires, spent                    int64
	people                                     peopleRow
}

func (r *codeRow) fields() []any {
	c := &r.c
	return append([]any{
		&r.hash, &c.Dialect, &c.AppID, &r.level, &c.RedirectURI, &c.SentURI, &c.Challenge, &r.scopes, &r.second, &r.kept,
		&r.created, &r.expires, &r.spent, &r.outcome, &r.role,
	}, r.people.fields()...)
}

func (r *codeRow) code() (*postern.Code, error) {
	c := &r.c
	c.Hash, c.Level, c.Scopes = hashOf(r.hash), postern.Level(r.level), split(r.scopes)
	c.SecondScopes = split(r.second)
	c.CreatedAt, c.ExpiresAt, c.SpentAt = at(r.created), at(r.expires), at(r.spent)
	c.Redeemed, c.Role = r.outcome == "redeemed", r.role
	var err, err2 error
	c.Kept, err = attributes(r.kept)
	c.Account, c.User, err2 = r.people.people()
	return c, errors.Join(err, err2)
}

const (
	lockCode = `SELECT spent_at FROM codes WHERE hash = $1 FOR UPDATE`

	// spendCode decides who redeems: one caller finds the code unspent. (Less than 1,
	// not 0: else PostgreSQL may look for it among all that are pending, by their own
	// index, when it last saw few of them.)
	spendCode = `
	UPDATE codes SET spent_at = $2, outcome = 'redeemed', connection_id = $3, live_until = $4, last_used_at = $2
	WHERE hash = $1 AND spent_at < 1 AND expires_at > $2
	  AND EXISTS (SELECT 1 FROM apps a JOIN partners p ON p.id = a.partner_id
	              WHERE a.id = codes.app_id AND NOT a.disabled AND a.removed_at = 0 AND NOT p.disabled AND p.removed_at = 0)
	  AND EXISTS (SELECT 1 FROM accounts ac WHERE ac.id = codes.account_id AND NOT ac.disabled AND ac.removed_at = 0)
	  AND EXISTS (SELECT 1 FROM users u WHERE u.id = codes.user_id AND NOT u.disabled AND u.removed_at = 0)
	  AND EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = codes.account_id AND m.user_id = codes.user_id)`

	// joinConnection makes the connection or joins the live one, whose row it
	// locks either way, so that nobody ends it at the same moment.
	joinConnection = `
	INSERT INTO connections (id, number, app_id, account_id, user_id, scopes, created_at, created_by, sequence)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
	ON CONFLICT (account_id, app_id, user_id) WHERE ended_at = 0 DO UPDATE SET app_id = excluded.app_id
	RETURNING id, number, scopes`

	// insertSecondFamily is a code's row that was never a code: the head of the
	// second token's family.
	insertSecondFamily = `
	INSERT INTO codes (hash, dialect, app_id, account_id, user_id, level, redirect_uri, sent_uri, scopes, kept,
	                   created_at, expires_at, spent_at, outcome, connection_id, live_until, last_used_at)
	VALUES ($1, $2, $3, $4, $5, 'user', $6, $7, $8, $9, $10, $11, $12, 'redeemed', $13, $14, $12)`

	widenConnection = `UPDATE connections SET scopes = $2, sequence = sequence + 1 WHERE id = $1 RETURNING sequence`

	insertToken = `
	INSERT INTO tokens (hash, kind, family, app_id, dialect, scopes, issued_at, expires_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	insertTwoTokens = insertToken + `, ($9, $10, $11, $12, $13, $14, $15, $16)`

	// The families of a connection beyond the newest, unused longest first.
	tooManyFamilies = `
	SELECT hash FROM codes WHERE connection_id = $1 AND ended_at = 0 AND live_until > $2 AND hash <> $3 AND hash <> $4
	ORDER BY last_used_at DESC, spent_at DESC LIMIT 1000 OFFSET $5`
	endOneFamily = `
	UPDATE codes SET ended_at = $2, end_reason = $3 WHERE hash = $1 AND ended_at = 0 AND outcome = 'redeemed'
	RETURNING connection_id`

	burnCode = `UPDATE codes SET spent_at = $2, outcome = 'burned' WHERE hash = $1 AND spent_at = 0`

	// redeemAtOnce is a whole exchange in one round trip, for PostgreSQL: the
	// statements above in the same order. It does nothing, and finds no row, when
	// the code is not to be had, the registry has changed since the app was read
	// ($17), the connection must take on more scopes, or it stands already and there
	// is a cap ($16), which a further look has to hold.
	redeemAtOnce = `
	WITH code AS (
	  SELECT hash, account_id, app_id, user_id FROM codes
	  WHERE hash = $1 AND spent_at < 1 AND expires_at > $2
	    AND EXISTS (SELECT 1 FROM counters WHERE name = 'registry_version' AND value = $17)
	    AND EXISTS (SELECT 1 FROM accounts ac WHERE ac.id = codes.account_id AND NOT ac.disabled AND ac.removed_at = 0)
	    AND EXISTS (SELECT 1 FROM users u WHERE u.id = codes.user_id AND NOT u.disabled AND u.removed_at = 0)
	    AND EXISTS (SELECT 1 FROM memberships m WHERE m.account_id = codes.account_id AND m.user_id = codes.user_id)
	  FOR UPDATE OF codes
	), conn AS (
	  INSERT INTO connections (id, number, app_id, account_id, user_id, scopes, created_at, created_by, sequence)
	  SELECT $3, $4, app_id, account_id, $5, $6, $2, user_id, 1 FROM code
	  ON CONFLICT (account_id, app_id, user_id) WHERE ended_at = 0 DO UPDATE SET app_id = excluded.app_id
	  WHERE connections.scopes = excluded.scopes AND NOT $16::boolean
	  RETURNING id, number, app_id, account_id, user_id
	), spent AS (
	  UPDATE codes SET spent_at = $2, outcome = 'redeemed', connection_id = conn.id, live_until = $7, last_used_at = $2
	  FROM conn WHERE codes.hash = $1
	), born AS (
	  INSERT INTO tokens (hash, kind, family, app_id, dialect, scopes, issued_at, expires_at)
	  SELECT v.hash, v.kind, $1, conn.app_id, $9, $10, $2, v.ends
	  FROM conn, (VALUES ($8::bytea, 'access', $11::bigint), ($12::bytea, 'refresh', $13::bigint)) AS v (hash, kind, ends)
	  WHERE v.hash IS NOT NULL
	), event AS (
	  INSERT INTO events (id, type, app_id, connection_id, sequence, account_id, user_id, user_nickname, at)
	  SELECT $14, 'connection.created', app_id, id, 1, account_id, user_id, $15, $2 FROM conn WHERE id = $3
	)
	SELECT id, number FROM conn`
)

// RedeemCode implements oauth.Store.
func (db *DB) RedeemCode(ctx context.Context, r oauth.Redemption) (id string, number int64, err error) {
	if !db.engine.oneNode && r.Second == nil && r.Sign == nil {
		id, number, err = db.redeemAtOnce(ctx, r)
		if !errors.Is(err, sql.ErrNoRows) {
			return id, number, db.trouble(err)
		}
	}
	err = db.write(ctx, func(t *tx) error {
		id, number, err = db.redeem(ctx, t, r)
		return err
	})
	return id, number, err
}

func (db *DB) redeemAtOnce(ctx context.Context, r oauth.Redemption) (id string, number int64, err error) {
	c, owner, nickname := r.Code, "", ""
	if c.Level == postern.UserLevel {
		owner, nickname = c.User.ID, c.User.Nick()
	}
	var refresh []byte
	var refreshEnds int64
	if r.Refresh != nil {
		refresh, refreshEnds = r.Refresh.Hash[:], endMS(r.Refresh.ExpiresAt)
	}
	err = db.writes.QueryRowContext(ctx, redeemAtOnce,
		c.Hash[:], ms(r.Now), r.NewConnectionID, r.NewNumber, owner, join(c.Scopes), endMS(r.LiveUntil),
		r.Access.Hash[:], r.Access.Dialect, join(r.Access.Scopes), endMS(r.Access.ExpiresAt),
		refresh, refreshEnds, r.EventID, nickname, r.AtOnce > 0, r.Version).Scan(&id, &number)
	return id, number, err
}

// redeem is an exchange statement by statement.
func (db *DB) redeem(ctx context.Context, t *tx, r oauth.Redemption) (id string, number int64, err error) {
	c, now := r.Code, ms(r.Now)
	if !db.engine.oneNode {
		// The code's row first, then the connection's: all who hold both take them in
		// this order.
		var spent int64
		if err := t.row(ctx, lockCode, c.Hash[:]).Scan(&spent); err != nil {
			return "", 0, ignoreNoRows(err, notRedeemed)
		}
	}
	j := &joining{newID: r.NewConnectionID, newNumber: r.NewNumber, eventID: r.EventID, level: c.Level, scopes: c.Scopes}
	if err := j.join(ctx, t, &r); err != nil {
		return "", 0, err
	}
	if r.Sign != nil {
		hash, err := r.Sign(j.id)
		if err != nil {
			return "", 0, err
		}
		r.Access.Hash = hash
	}
	n, err := t.exec(ctx, spendCode, c.Hash[:], now, j.id, endMS(r.LiveUntil))
	if err != nil {
		return "", 0, err
	}
	if n == 0 {
		return "", 0, notRedeemed // undoes the connection
	}
	if err := saveTokens(ctx, t, c.Hash[:], &r.Access, r.Refresh); err != nil {
		return "", 0, err
	}
	if err := j.tell(ctx, t, &r); err != nil {
		return "", 0, err
	}
	families := []*joining{j}
	if r.Second != nil {
		second, err := redeemSecond(ctx, t, &r)
		if err != nil {
			return "", 0, err
		}
		families = append(families, second)
	}
	return j.id, j.number, endOldest(ctx, t, families, &r)
}

// redeemSecond makes the second token's family and connection.
func redeemSecond(ctx context.Context, t *tx, r *oauth.Redemption) (*joining, error) {
	c, s, now := r.Code, r.Second, ms(r.Now)
	j := &joining{newID: s.NewConnectionID, newNumber: s.NewNumber, eventID: s.EventID, level: postern.UserLevel, scopes: s.Access.Scopes}
	if err := j.join(ctx, t, r); err != nil {
		return nil, err
	}
	kept, err := attributesText(c.Kept)
	if err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, insertSecondFamily, s.Family[:], c.Dialect, c.AppID, c.Account.ID, c.User.ID, c.RedirectURI, c.SentURI,
		join(s.Access.Scopes), kept, ms(c.CreatedAt), ms(c.ExpiresAt), now, j.id, endMS(s.Access.ExpiresAt))
	if err == nil {
		err = saveToken(ctx, t, postern.AccessToken, s.Family[:], &s.Access)
	}
	if err == nil {
		err = j.tell(ctx, t, r)
	}
	return j, err
}

// joining is an exchange on its way into a connection: a new one, or the one
// that stands.
type joining struct {
	newID     string
	newNumber int64
	eventID   string
	level     postern.Level
	scopes    []string

	id     string
	number int64
	had    []string
}

func (j *joining) owner(c *postern.Code) (id, nickname string) {
	if j.level == postern.UserLevel {
		return c.User.ID, c.User.Nick()
	}
	return "", ""
}

func (j *joining) join(ctx context.Context, t *tx, r *oauth.Redemption) error {
	c, had := r.Code, ""
	owner, _ := j.owner(c)
	err := t.row(ctx, joinConnection, j.newID, j.newNumber, c.AppID, c.Account.ID, owner, join(j.scopes), ms(r.Now), c.User.ID).
		Scan(&j.id, &j.number, &had)
	j.had = split(had)
	return err
}

// tell writes the event of what the exchange made of the connection.
func (j *joining) tell(ctx context.Context, t *tx, r *oauth.Redemption) error {
	owner, nickname := j.owner(r.Code)
	event := postern.Event{
		ID: j.eventID, Type: postern.ConnectionCreated, AppID: r.Code.AppID, ConnectionID: j.id, Sequence: 1,
		AccountID: r.Code.Account.ID, UserID: owner, UserNickname: nickname, At: r.Now,
	}
	if j.id == j.newID {
		return saveEvent(ctx, t, &event)
	}
	return widen(ctx, t, &event, j.had, j.scopes)
}

var notRedeemed = postern.Errorf(postern.InvalidGrant, "The code is not to be redeemed.")

func ignoreNoRows(err, instead error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return instead
	}
	return err
}

func saveTokens(ctx context.Context, t *tx, family []byte, access, refresh *oauth.NewToken) error {
	if refresh == nil {
		return saveToken(ctx, t, postern.AccessToken, family, access)
	}
	both := append(tokenValues(postern.AccessToken, family, access), tokenValues(postern.RefreshToken, family, refresh)...)
	_, err := t.exec(ctx, insertTwoTokens, both...)
	return err
}

func saveToken(ctx context.Context, t *tx, kind postern.TokenKind, family []byte, n *oauth.NewToken) error {
	_, err := t.exec(ctx, insertToken, tokenValues(kind, family, n)...)
	return err
}

func tokenValues(kind postern.TokenKind, family []byte, n *oauth.NewToken) []any {
	return []any{n.Hash[:], string(kind), family, n.AppID, n.Dialect, join(n.Scopes), ms(n.IssuedAt), endMS(n.ExpiresAt)}
}

// widen gives a standing connection the scopes of a further approval.
func widen(ctx context.Context, t *tx, event *postern.Event, had, asked []string) error {
	all := slices.Clone(had)
	for _, s := range asked {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) == len(had) {
		return nil
	}
	event.Type, event.Changes = postern.ConnectionUpdated, all
	if err := t.row(ctx, widenConnection, event.ConnectionID, join(all)).Scan(&event.Sequence); err != nil {
		return err
	}
	return saveEvent(ctx, t, event)
}

// endOldest holds the cap on a connection's live families, in each connection
// that an exchange joined.
func endOldest(ctx context.Context, t *tx, joined []*joining, r *oauth.Redemption) error {
	if r.AtOnce == 0 {
		return nil
	}
	first, second := r.Code.Hash, r.Code.Hash
	if r.Second != nil {
		second = r.Second.Family
	}
	var over []postern.Hash
	for i, j := range joined {
		born := 1 // of this exchange, in this connection
		if len(joined) == 2 && joined[0].id == joined[1].id {
			if born = 2; i == 1 {
				break // both are of one connection, which was just seen to
			}
		}
		if j.id == j.newID {
			continue
		}
		old, err := collect(ctx, t, scanHash, tooManyFamilies, j.id, ms(r.Now), first[:], second[:], max(0, r.AtOnce-born))
		if err != nil {
			return err
		}
		for _, h := range old {
			if _, err := t.exec(ctx, endOneFamily, h[:], ms(r.Now), "at_once"); err != nil {
				return err
			}
			err := audit(ctx, t, auditRow{At: r.Now, Actor: "postern", Action: "family.ended", Object: j.id, Detail: "more live tokens than the dialect allows at once"})
			if err != nil {
				return err
			}
		}
		over = append(over, old...)
	}
	for _, h := range over { // last: it holds the lock on the change sequence
		if err := change(ctx, t, "family", hexHash(h), r.Now); err != nil {
			return err
		}
	}
	return nil
}

func scanHash(row scanner) (postern.Hash, error) {
	var b []byte
	err := row.Scan(&b)
	return hashOf(b), err
}

// BurnCode implements oauth.Store.
func (db *DB) BurnCode(ctx context.Context, code postern.Hash, why string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, burnCode, code[:], ms(now))
		if err != nil || n == 0 {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: "postern", Action: "code.burned", Object: hexHash(code), Detail: why})
	})
}

// ReplayedCode implements oauth.Store.
func (db *DB) ReplayedCode(ctx context.Context, code postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		for _, family := range []postern.Hash{code, postern.SecondFamily(code)} {
			if err := endFamily(ctx, t, db.engine, family, postern.TokenReuse, "postern:code_replayed", now); err != nil {
				return err
			}
		}
		return nil
	})
}
