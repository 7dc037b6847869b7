package store

import (
	"path/filepath"
	"testing"
)

// Of people and links of before, nobody is vouched for but whom the operator
// declared, or gave a link to.
func TestNobodyIsVouchedForByAnUpgrade(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := db.provider()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 11); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		`INSERT INTO staff (id, realm, email, email_folded, password_hash, declared_password, created_at) VALUES
		  ('op', 'operator', 'a', 'a', 'h', '', 1), ('nobody', 'partner', 'b', 'b', 'h', '', 1),
		  ('declared', 'partner', 'c', 'c', 'own', 'h', 1), ('absent', 'partner', 'd', 'd', '', '', 1)`,
		`INSERT INTO staff_links (id, hash, purpose, made_by, partner_id, email_folded, staff_id, created_at, expires_at) VALUES
		  ('reset', x'01', 'reset', 'stranger', '', '', 'nobody', 1, 2), ('theirs', x'02', 'invite', 'staff:nobody', 'p', 'x', '', 1, 2),
		  ('ours', x'03', 'invite', 'operator', 'p', 'y', '', 1, 2)`,
	} {
		if _, err := db.writes.ExecContext(ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		`SELECT group_concat(id, ' ') FROM (SELECT id FROM staff WHERE vouched_by = 'operator' ORDER BY id)`:    "absent declared op",
		`SELECT group_concat(id, ' ') FROM (SELECT id FROM staff WHERE vouched_by = '')`:                        "nobody",
		`SELECT group_concat(id, ' ') FROM (SELECT id FROM staff_links WHERE vouches = 'operator' ORDER BY id)`: "ours reset",
		`SELECT group_concat(id, ' ') FROM (SELECT id FROM staff_links WHERE vouches = '')`:                     "theirs",
	} {
		var got string
		if err := db.writes.QueryRowContext(ctx, query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", query, got, want, err)
		}
	}
}

// Of partners of before, those are known to have come by themselves that no operator
// has answered.
func TestAnUpgradeKnowsWhichPartnersRegisteredThemselves(t *testing.T) {
	ctx := t.Context()
	db, err := Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	p, err := db.provider()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(ctx, 13); err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{
		`INSERT INTO partners (id, name, created_at) VALUES ('came', 'a', 1), ('good', 'b', 1), ('ours', 'c', 1), ('file', 'd', 1)`,
		`INSERT INTO audit (at, actor, action, object) VALUES (1, 'staff:x', 'partner.created', 'partner:came'),
		  (1, 'staff:y', 'partner.created', 'partner:good'), (2, 'staff:op', 'partner.approved', 'partner:good'), (1, 'operator', 'partner.created', 'partner:ours')`,
	} {
		if _, err := db.writes.ExecContext(ctx, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := db.writes.QueryRowContext(ctx, `SELECT group_concat(id, ' ') FROM partners WHERE registered`).Scan(&got); err != nil || got != "came" {
		t.Errorf("they are %q (%v)", got, err)
	}
}
