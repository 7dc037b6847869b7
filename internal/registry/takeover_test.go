package registry_test

import "testing"

// Somebody of another partner may have taken an invitation for an e-mail address
// that is not theirs, where owners hand the links over. Who declares the address
// hears that it signs in already.
func TestWhoJoinsWithAPasswordOfTheirOwnIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		if _, err := w.sql.Exec(`INSERT INTO staff (id, realm, email, email_folded, password_hash, created_at) VALUES ('stf_1', 'partner', 'boss@victim.test', 'boss@victim.test', 'a hash', 1)`); err != nil {
			w.Fatal(err)
		}
		text := `partners: [{id: v, name: Victim Inc, members: [{email: boss@victim.test, role: owner}, {email: new@victim.test}]}]`
		w.did(text, "created partner Victim Inc", "changed member boss@victim.test: joined v (with a password that they chose before)", "created member new@victim.test")
		w.did(text, "unchanged partner Victim Inc", "unchanged member boss@victim.test", "unchanged member new@victim.test")
		// Somebody whose password a file declared is known to whoever applies.
		w.apply(`partners: [{id: o, name: Other Inc, members: [{email: dev@other.test, password: portal horse}]}]`)
		w.did(`partners: [{id: v, members: [{email: dev@other.test}]}]`, "unchanged partner Victim Inc", "changed member dev@other.test: joined v")
	})
}
