package registry_test

import "testing"

// A sign-in for whose e-mail nobody vouches may be anybody's, so a file that names
// the address does not mean it: the person is a member, and the old password, with
// all that it opened, counts no more. Who applies is told.
func TestASignInForWhichNobodyVouchesJoinsWithoutItsPassword(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(`partners: [{id: a, name: Attacker Inc}, {id: o, name: Other Inc, members: [{email: dev@other.test, password: portal horse}]}]`)
		for _, row := range []string{
			`INSERT INTO staff (id, realm, email, email_folded, password_hash, created_at) VALUES ('stf_1', 'partner', 'boss@victim.test', 'boss@victim.test', 'a hash', 1)`,
			`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('a', 'stf_1', 'owner', 1)`,
			`INSERT INTO staff_sessions (hash, staff_id, signed_in_at, last_seen_at, expires_at) VALUES ('\x01', 'stf_1', 1, 1, 253402300799000)`,
		} {
			w.run(row)
		}
		// With the partner that it came by, it is what it was.
		w.did(`partners: [{id: a, members: [{email: boss@victim.test, role: developer}]}]`, "unchanged partner Attacker Inc", "changed member boss@victim.test: role in a")
		w.equal("rows", w.one(`SELECT count(*) FROM staff_sessions`), "1")
		text := `partners: [{id: v, name: Victim Inc, members: [{email: boss@victim.test, role: owner}, {email: new@victim.test}]}]`
		w.did(text, "created partner Victim Inc", "changed member boss@victim.test: joined v (nobody vouched for the e-mail, so the password does not count any more: `postern partner reset boss@victim.test` makes a link to choose another)", "created member new@victim.test")
		w.equal("rows", w.one(`SELECT count(*) FROM staff_sessions`), "0")
		w.equal("rows", w.one(`SELECT count(*) FROM staff WHERE id = 'stf_1' AND password_hash = '' AND vouched_by = 'operator'`), "1")
		w.did(text, "unchanged partner Victim Inc", "unchanged member boss@victim.test", "unchanged member new@victim.test")
		// Somebody whom a file declared is known to whoever applies.
		w.did(`partners: [{id: v, members: [{email: dev@other.test}]}]`, "unchanged partner Victim Inc", "changed member dev@other.test: joined v")
	})
}
