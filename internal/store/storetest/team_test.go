package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

// member makes a person of the partner.
func (w *world) member(id, role string) {
	w.Helper()
	now := w.clock.Now().UnixMilli()
	w.run(`INSERT INTO staff (id, realm, email, email_folded, password_hash, vouched_by, created_at) VALUES ($1, 'partner', $2, $2, 'x', 'operator', $3)`, id, id+"@partner.test", now)
	w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('p1', $1, $2, $3)`, id, role, now)
}

func (w *world) owners() string {
	w.Helper()
	return w.text(`SELECT count(*) FROM partner_members WHERE partner_id = 'p1' AND role = 'owner'`)
}

// Two owners who act on one another, and on themselves, at the same moment: one
// comes first, and there is always an owner left.
func TestOfTwoOwnersWhoActAtOnceOneStays(t *testing.T) {
	everywhere(t, func(w *world) {
		on := func(actor, member string) identity.TeamAct {
			return identity.TeamAct{PartnerID: "p1", Actor: actor, Member: member, Now: w.clock.Now()}
		}
		for round := range 20 {
			a, b := fmt.Sprintf("a%d", round), fmt.Sprintf("b%d", round)
			w.run(`DELETE FROM partner_members`)
			w.member(a, "owner")
			w.member(b, "owner")
			acts := []func() error{
				func() error { return w.db.SetRole(w.ctx, on(a, b), postern.Viewer) },
				func() error { return w.db.SetRole(w.ctx, on(b, a), postern.Developer) },
				func() error { return w.db.RemoveMember(w.ctx, on(a, b)) },
				func() error { return w.db.RemoveMember(w.ctx, on(b, a)) },
				func() error { return w.db.RemoveMember(w.ctx, on(a, a)) },
				func() error { return w.db.RemoveMember(w.ctx, on(b, b)) },
				func() error { return w.db.SetRole(w.ctx, on(a, a), postern.Viewer) },
				func() error { return w.db.SetRole(w.ctx, on(b, b), postern.Viewer) },
			}
			errs := make([]error, len(acts))
			var all sync.WaitGroup
			for i := range acts {
				all.Go(func() { errs[i] = acts[(i+round)%len(acts)]() })
			}
			all.Wait()
			done := 0
			for _, err := range errs {
				switch {
				case err == nil:
					done++
				case postern.Is(err, postern.Conflict), postern.Is(err, postern.Forbidden), postern.Is(err, postern.NotFound):
				default:
					w.Error(err)
				}
			}
			if got := w.owners(); got != "1" || done == 0 {
				w.Fatalf("round %d: %s owners, %d acts were done: %v", round, got, done, errs)
			}
		}
	})
}

// An operator switches a partner off because of somebody at an owner's desk. That
// one drives nobody out, and takes nobody's invitation, meanwhile.
func TestTheTeamOfAPartnerThatIsOffStaysAsItIs(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		w.member("other", "owner")
		w.run(`UPDATE partners SET disabled = TRUE`)
		on := func(member string) identity.TeamAct {
			return identity.TeamAct{PartnerID: "p1", Actor: "own", Member: member, Now: w.clock.Now()}
		}
		w.wants(w.db.SetRole(w.ctx, on("other"), postern.Viewer), postern.Forbidden)
		w.wants(w.db.RemoveMember(w.ctx, on("other")), postern.Forbidden)
		w.wants(w.db.TakeBack(w.ctx, on(""), "lnk_1"), postern.Forbidden)
		w.ok(w.db.RemoveMember(w.ctx, on("own"))) // everybody may leave
	})
}

func TestAMemberWhoGoesIsForgottenWithTheLastPartner(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		w.member("dev", "developer")
		now := w.clock.Now()
		w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Other', 1)`)
		w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('p2', 'dev', 'owner', 1), ('p2', 'own', 'owner', 1)`)
		w.run(`INSERT INTO staff_sessions (hash, staff_id, signed_in_at, last_seen_at, expires_at) VALUES ('\x01', 'dev', 1, 1, 253402300799000)`)
		remove := func(partner string) {
			w.Helper()
			w.ok(w.db.RemoveMember(w.ctx, identity.TeamAct{PartnerID: partner, Actor: "own", Member: "dev", Now: now}))
		}
		remove("p1")
		if n := w.text(`SELECT count(*) FROM staff_sessions WHERE staff_id = 'dev'`); n != "1" {
			w.Error("signed out by a partner whose work they go on without")
		}
		remove("p2")
		for _, table := range []string{"staff_sessions WHERE staff_id", "staff WHERE id", "partner_members WHERE staff_id"} {
			if n := w.text(`SELECT count(*) FROM ` + table + ` = 'dev'`); n != "0" {
				w.Errorf("%s: %s rows", table, n)
			}
		}
	})
}

// An invitation that many take at once makes one member, one person, one
// session.
func TestAnInvitationIsSpentOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		hash, now := postern.Secret("link").Hash(), w.clock.Now()
		w.ok(w.db.SaveInvitation(w.ctx, identity.NewInvitation{
			NewLink: identity.NewLink{ID: "lnk_1", Hash: hash, Expires: now.Add(time.Second), Now: now, Vouches: postern.ByMail}, Email: "New@partner.test", PartnerID: "p1", Role: postern.Developer,
		}))
		take := func(n int, at identity.Taker) error {
			at.StaffID, at.New, at.PasswordHash, at.PartnerID = fmt.Sprintf("new%d", n), true, "hash", fmt.Sprintf("made%d", n)
			at.Session = identity.NewSession{Session: postern.Secret(fmt.Sprint("s", n)).Hash(), Device: postern.Secret(fmt.Sprint("d", n)).Hash(), Now: now}
			return w.db.TakeInvitation(w.ctx, hash, at)
		}
		w.wants(take(0, identity.Taker{Now: now.Add(time.Second)}), postern.NotFound) // it has expired by then
		errs := make([]error, 20)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() { errs[i] = take(i+1, identity.Taker{Now: now}) })
		}
		all.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				w.wants(err, postern.NotFound)
			}
		}
		for query, want := range map[string]string{
			`SELECT count(*) FROM staff`:                                             "1",
			`SELECT count(*) FROM staff_sessions`:                                    "1",
			`SELECT count(*) FROM staff_links`:                                       "0",
			`SELECT count(*) FROM partners`:                                          "1",
			`SELECT role FROM partner_members WHERE partner_id = 'p1'`:               "developer",
			`SELECT email_folded FROM staff`:                                         "new@partner.test",
			`SELECT count(*) FROM audit WHERE action IN ('member.joined','sign_in')`: "2",
		} {
			if got := w.text(query); got != want {
				w.Errorf("%s: %s, wanted %s", query, got, want)
			}
		}
		if won != 1 {
			w.Errorf("%d won", won)
		}
	})
}

// An owner who is put out of the team cannot have left a door open: what they
// invited to ends with their being an owner. What others invited to stays.
func TestPA18_InvitationsEndWithTheOwnerWhoMadeThem(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		now := w.clock.Now()
		invite := func(by, email string) postern.Hash {
			w.Helper()
			hash := postern.Secret(by + email).Hash()
			w.ok(w.db.SaveInvitation(w.ctx, identity.NewInvitation{
				NewLink: identity.NewLink{ID: "lnk_" + by + email, Hash: hash, Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByMail}, Email: email, PartnerID: "p1", Role: postern.Owner, By: by,
			}))
			return hash
		}
		for member, put := range map[string]func(identity.TeamAct) error{
			"gone":   func(a identity.TeamAct) error { return w.db.RemoveMember(w.ctx, a) },
			"lesser": func(a identity.TeamAct) error { return w.db.SetRole(w.ctx, a, postern.Developer) },
		} {
			w.member(member, "owner")
			theirs, others := invite(member, "accomplice@evil.test"), invite("own", member+"s.successor@partner.test")
			w.ok(put(identity.TeamAct{PartnerID: "p1", Actor: "own", Member: member, Now: now}))
			_, err := w.db.Invitation(w.ctx, theirs, now)
			w.wants(err, postern.NotFound)
			_, err = w.db.Invitation(w.ctx, others, now)
			w.ok(err)
		}
	})
}

// What an owner gave before the partner was switched off brings nobody into its team
// meanwhile, and waits. The operator's own word counts at any time.
func TestPA17_NobodyJoinsAPartnerThatIsOffByAnOwnersInvitation(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		w.member("dev", "developer")
		w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Another', 1)`)
		w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('p2', 'own', 'owner', 1)`)
		now := w.clock.Now()
		take := func(by string) error {
			w.Helper()
			hash := postern.Secret("link by " + by).Hash()
			if w.count(`SELECT count(*) FROM staff_links WHERE id = $1`, "lnk_"+by) == 0 {
				w.ok(w.db.SaveInvitation(w.ctx, identity.NewInvitation{
					NewLink: identity.NewLink{ID: "lnk_" + by, Hash: hash, Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByMail},
					Email:   "dev@partner.test", PartnerID: "p2", Role: postern.Owner, By: by,
				}))
				w.run(`UPDATE partners SET disabled = TRUE WHERE id = 'p2'`)
			}
			return w.db.TakeInvitation(w.ctx, hash, identity.Taker{StaffID: "dev", PartnerID: "made", Now: now})
		}
		w.wants(take("own"), postern.Forbidden)
		w.run(`UPDATE partners SET disabled = FALSE WHERE id = 'p2'`)
		w.ok(take("own"))
		w.run(`DELETE FROM partner_members WHERE partner_id = 'p2' AND staff_id = 'dev'`)
		w.ok(take(""))
	})
}

// Somebody who joins one partner and is put out of their only other at the same
// moment is not forgotten: the new partner's only owner can sign in.
func TestWhoJoinsAtThatMomentIsNotForgotten(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		now := w.clock.Now()
		for round := range 40 {
			dev, company, hash := fmt.Sprint("dev", round), fmt.Sprint("Company ", round), postern.Secret(fmt.Sprint("link", round)).Hash()
			w.member(dev, "developer")
			w.ok(w.db.SaveRegistration(w.ctx, identity.NewInvitation{
				NewLink: identity.NewLink{ID: "lnk_" + dev, Hash: hash, Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByMail},
				Email:   dev + "@partner.test", Company: company, Role: postern.Owner,
			}))
			var taken, put error
			var both sync.WaitGroup
			both.Go(func() {
				taken = w.db.TakeInvitation(w.ctx, hash, identity.Taker{StaffID: dev, PartnerID: "p-" + dev, Now: now})
			})
			both.Go(func() {
				put = w.db.RemoveMember(w.ctx, identity.TeamAct{PartnerID: "p1", Actor: "own", Member: dev, Now: now})
			})
			both.Wait()
			w.ok(put)
			if taken != nil {
				w.wants(taken, postern.NotFound) // forgotten first
			}
			owners := w.count(`SELECT count(*) FROM partner_members m JOIN staff s ON s.id = m.staff_id WHERE m.partner_id = $1`, "p-"+dev)
			if made := w.count(`SELECT count(*) FROM partners WHERE name = $1`, company); made != owners {
				w.Fatalf("round %d: %d partners, %d owners who can sign in", round, made, owners)
			}
		}
	})
}

func TestAPartnerThatIsOffInvitesNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		w.member("own", "owner")
		now := w.clock.Now()
		invite := func(id, by string) error {
			return w.db.SaveInvitation(w.ctx, identity.NewInvitation{
				NewLink: identity.NewLink{ID: id, Hash: postern.Secret(id).Hash(), Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByMail},
				Email:   "somebody@else.test", PartnerID: "p1", Role: postern.Viewer, By: by,
			})
		}
		w.run(`UPDATE partners SET disabled = TRUE WHERE id = 'p1'`)
		w.wants(invite("lnk_1", "own"), postern.Forbidden)
		w.ok(invite("lnk_2", "")) // the operator's own word
		w.run(`UPDATE partners SET disabled = FALSE WHERE id = 'p1'`)
		w.ok(invite("lnk_3", "own"))
	})
}

// A company that registers may not pass for another one, in whatever letters.
func TestLC09_ACompanyDoesNotPassForAnother(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Pale Mill 1', 1)`)
		now := w.clock.Now()
		register := func(company string) error {
			return w.db.SaveRegistration(w.ctx, identity.NewInvitation{
				NewLink: identity.NewLink{ID: "lnk_" + company, Hash: postern.Secret(company).Hash(), Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByMail},
				Email:   "eve@evil.test", Company: company, Role: postern.Owner,
			})
		}
		for _, company := range []string{"Pale Mill 1", "PALE MILL 1", "P\u0430le Mill 1", "Pale Mill l", "Pale  Mi\u217cl 1", "Pale-Mill 1"} {
			w.wants(register(company), postern.Conflict)
		}
		w.ok(register("Pale Mill 2"))
	})
}

// unvouched is a sign-in of before links said who vouches: an owner of p1 may have
// made it with anybody's e-mail.
func (w *world) unvouched() {
	w.Helper()
	w.member("eve", "developer")
	w.run(`UPDATE staff SET vouched_by = '' WHERE id = 'eve'`)
	w.run(`INSERT INTO staff_sessions (hash, staff_id, signed_in_at, last_seen_at, expires_at) VALUES ('\x01', 'eve', 1, 1, 253402300799000)`)
	w.run(`INSERT INTO staff_devices (hash, staff_id, expires_at) VALUES ('\x01', 'eve', 253402300799000)`)
	w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Other', 1)`)
}

// invitation keeps one of eve's address to p2.
func (w *world) invitation(by postern.Voucher) postern.Hash {
	w.Helper()
	now, hash := w.clock.Now(), postern.Secret("to p2").Hash()
	w.ok(w.db.SaveInvitation(w.ctx, identity.NewInvitation{
		NewLink: identity.NewLink{ID: "lnk_p2", Hash: hash, Expires: now.Add(time.Hour), Now: now, Vouches: by},
		Email:   "eve@partner.test", PartnerID: "p2", Role: postern.Developer,
	}))
	return hash
}

func (w *world) has(rows map[string]string) {
	w.Helper()
	for query, want := range rows {
		if got := w.text(query); got != want {
			w.Errorf("%s: %s, wanted %s", query, got, want)
		}
	}
}

// Equality of an e-mail is no proof: a sign-in for which nobody vouches comes to
// no other partner. Whoever the link went to chooses a new password, and the old
// one is of no use any more.
func TestPA17_ASignInForWhichNobodyVouchesIsProvenAnewBeforeItCounts(t *testing.T) {
	everywhere(t, func(w *world) {
		w.unvouched()
		hash, now := w.invitation(postern.ByMail), w.clock.Now()
		i, err := w.db.Invitation(w.ctx, hash, now)
		w.ok(err)
		if i.Known {
			w.Error("a sign-in for which nobody vouches counts as one")
		}
		w.wants(w.db.TakeInvitation(w.ctx, hash, identity.Taker{StaffID: "eve", PartnerID: "made", Now: now}), postern.Forbidden)
		w.ok(w.db.TakeInvitation(w.ctx, hash, identity.Taker{
			StaffID: "new", New: true, Name: "The person", PasswordHash: "theirs", PartnerID: "made", Now: now,
			Session: identity.NewSession{Session: postern.Secret("s").Hash(), Device: postern.Secret("d").Hash(), Now: now},
		}))
		w.has(map[string]string{
			`SELECT password_hash FROM staff WHERE id = 'eve'`:                                           "theirs",
			`SELECT vouched_by FROM staff WHERE id = 'eve'`:                                              "mail",
			`SELECT count(*) FROM staff`:                                                                 "1",
			`SELECT count(*) FROM partner_members WHERE staff_id = 'eve'`:                                "2",
			`SELECT count(*) FROM staff_sessions WHERE hash = '\x01'`:                                    "0",
			`SELECT count(*) FROM staff_sessions`:                                                        "1",
			`SELECT count(*) FROM staff_devices WHERE hash = '\x01'`:                                     "0",
			`SELECT count(*) FROM audit WHERE action = 'password.changed' AND object = 'staff:eve'`:      "1",
			`SELECT count(*) FROM partner_members WHERE partner_id = 'p2' AND role = 'developer'`:        "1",
			`SELECT count(*) FROM staff_links`:                                                           "0",
			`SELECT count(*) FROM staff_sessions n JOIN staff s ON s.id = n.staff_id WHERE s.id = 'eve'`: "1",
			`SELECT count(*) FROM staff WHERE name = 'The person' AND email_folded = 'eve@partner.test'`: "1",
			`SELECT count(*) FROM audit WHERE action = 'member.joined' AND object = 'partner:p2'`:        "1",
			`SELECT count(*) FROM partner_members WHERE partner_id = 'p1' AND staff_id = 'eve'`:          "1",
			`SELECT count(*) FROM staff_devices WHERE staff_id = 'eve'`:                                  "1",
			`SELECT count(*) FROM partners`:                                                              "2",
		})
	})
}

// A link of before says nothing of the e-mail, so nobody uses it, until the
// operator makes another of it and hands that over.
func TestALinkThatVouchesForNothingIsOfNoUse(t *testing.T) {
	everywhere(t, func(w *world) {
		w.unvouched()
		hash, now := w.invitation(""), w.clock.Now()
		_, err := w.db.Invitation(w.ctx, hash, now)
		w.wants(err, postern.NotFound)
		w.wants(w.db.TakeInvitation(w.ctx, hash, identity.Taker{StaffID: "new", New: true, PasswordHash: "theirs", Now: now}), postern.NotFound)
		again := postern.Secret("again").Hash()
		_, err = w.db.RenewInvitation(w.ctx, "eve@partner.test", identity.NewLink{Hash: again, Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByOperator})
		w.ok(err)
		_, err = w.db.Invitation(w.ctx, again, now)
		w.ok(err)
	})
}

// A link to set a new password comes by mail or from the operator, so it proves
// the e-mail of who uses it.
func TestANewPasswordByALinkVouchesForTheEMail(t *testing.T) {
	everywhere(t, func(w *world) {
		w.unvouched()
		now, hash := w.clock.Now(), postern.Secret("reset").Hash()
		w.ok(w.db.SaveStaffReset(w.ctx, identity.NewLink{ID: "lnk_r", Hash: hash, Expires: now.Add(time.Hour), Now: now, Vouches: postern.ByOperator}, "eve", "operator"))
		use := func() error {
			return w.db.SpendStaffReset(w.ctx, hash, identity.NewPassword{UserID: "eve", PasswordHash: "theirs", Now: now})
		}
		w.ok(use())
		w.wants(use(), postern.NotFound)
		w.has(map[string]string{
			`SELECT vouched_by FROM staff WHERE id = 'eve'`:    "operator",
			`SELECT password_hash FROM staff WHERE id = 'eve'`: "theirs",
			`SELECT count(*) FROM staff_sessions`:              "0",
		})
		w.ok(w.db.TakeInvitation(w.ctx, w.invitation(postern.ByMail), identity.Taker{StaffID: "eve", Now: now}))
		w.has(map[string]string{`SELECT count(*) FROM partner_members WHERE staff_id = 'eve'`: "2"})
	})
}
