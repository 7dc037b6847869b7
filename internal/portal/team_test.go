package portal_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/postbox"
	"postern.dev/postern/internal/server"
)

// idsOf are a partner's id and its members', by e-mail.
func idsOf(t *testing.T, s *posterntest.Postern, owner string) (partnerID string, members map[string]string) {
	t.Helper()
	members = map[string]string{}
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		c, err := rooms.DB.StaffCredential(ctx, postern.PartnerRealm, owner, postern.Hash{}, s.Clock.Now())
		if err != nil {
			return err
		}
		of, err := rooms.DB.MemberOf(ctx, c.Staff.ID)
		if err != nil {
			return err
		}
		partnerID = of[0].Partner.ID
		team, err := rooms.DB.Team(ctx, partnerID)
		for _, m := range team {
			members[m.Staff.Email] = m.Staff.ID
		}
		return err
	})
	return partnerID, members
}

// act is what the one of these people does to the other.
func act(partnerID string, ids map[string]string, actor, member string) identity.TeamAct {
	return identity.TeamAct{PartnerID: partnerID, Actor: ids[actor], Member: ids[member]}
}

// invites has somebody invite a friend to a partner.
func invites(ctx context.Context, rooms *server.Rooms, partnerID, staffID, email string) error {
	_, err := rooms.Identity.Invite(ctx, identity.Invite{
		Partner: postern.Partner{ID: partnerID}, Email: email, Role: postern.Owner, By: &postern.Staff{ID: staffID}, ByHand: true,
	})
	return err
}

// token is the form's token of the page that a POST belongs to; where the page
// is closed to this person, that of any page of theirs.
func token(b *posterntest.Browser, path string) string {
	for _, f := range b.Get(path).Forms() {
		if f.Fields.Get("form_token") != "" && !strings.HasSuffix(f.Action, "/logout") {
			return f.Fields.Get("form_token")
		}
	}
	return ""
}

func TestPA18_OnlyOwnersKeepTheTeam(t *testing.T) {
	engines.Each(t, ownersKeepTheTeam)
}

func ownersKeepTheTeam(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	id, members := idsOf(t, s, posterntest.Dev)
	team := "/portal/team/" + id
	for _, email := range []string{posterntest.Coder, posterntest.Viewer} {
		b := s.Portal(email)
		b.Get("/portal/team").Wants(t, http.StatusOK, posterntest.Dev, posterntest.Coder, posterntest.Viewer)
		for _, path := range []string{"/invite", "/members/" + members[posterntest.Dev], "/members/" + members[email], "/members/" + members[posterntest.Dev] + "/remove", "/invitations/x/remove"} {
			b.Get(team+path).Wants(t, http.StatusForbidden, "Only owners")
		}
		// The rule says no too, to a form that was made for somebody else's role.
		s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
			for name, err := range map[string]error{
				"role":   rooms.Identity.SetRole(ctx, act(id, members, email, email), postern.Owner),
				"remove": rooms.Identity.RemoveMember(ctx, act(id, members, email, posterntest.Dev)),
				"back":   rooms.Identity.TakeBack(ctx, act(id, members, email, ""), "x"),
				"invite": invites(ctx, rooms, id, members[email], "eve@evil.test"),
			} {
				if !postern.Is(err, postern.Forbidden) {
					t.Errorf("%s: %s gave %v", email, name, err)
				}
			}
			return nil
		})
	}
	owner := s.Portal(posterntest.Dev)
	page := owner.Get(team + "/members/" + members[posterntest.Viewer])
	owner.Press(page, "Save", "role", "developer").Wants(t, http.StatusOK, "The role is changed")
	if got := roleOf(s, posterntest.Viewer); got != "developer" {
		t.Errorf("the role is %s", got)
	}
	page = owner.Get(team + "/members/" + members[posterntest.Viewer])
	owner.Press(page, "Save", "role", "emperor").Wants(t, http.StatusBadRequest, "Choose a role")
	viewer := s.Portal(posterntest.Viewer)
	page = owner.Get(team+"/members/"+members[posterntest.Viewer]+"/remove").Wants(t, http.StatusOK, "Remove "+posterntest.Viewer+" from Partner Inc?")
	owner.Press(page, "Remove").Wants(t, http.StatusOK, "The member is removed")
	if page := viewer.Get("/portal/team"); page.URL.Path != "/portal/login" {
		t.Errorf("who is with no partner is in still: %s", page.Text())
	}
	coder := s.Portal(posterntest.Coder)
	page = coder.Get(team+"/members/"+members[posterntest.Coder]+"/remove").Wants(t, http.StatusOK, "Leave Partner Inc?")
	if page := coder.Press(page, "Leave"); page.URL.Path != "/portal/login" {
		t.Errorf("who left is in still: %s", page.Text())
	}
}

func TestPA18_TheLastOwnerStays(t *testing.T) {
	s := posterntest.New(t)
	id, members := idsOf(t, s, posterntest.Dev)
	owner := s.Portal(posterntest.Dev)
	own := "/portal/team/" + id + "/members/" + members[posterntest.Dev]
	owner.Press(owner.Get(own), "Save", "role", "viewer").Wants(t, http.StatusOK, "last owner")
	owner.Press(owner.Get(own+"/remove"), "Leave").Wants(t, http.StatusOK, "last owner")
	// An owner who is switched off is none.
	s.Apply(`{partners: [{name: Partner Inc, members: [{email: ` + posterntest.Coder + `, role: owner, disabled: true}]}]}`)
	owner.Press(owner.Get(own), "Save", "role", "viewer").Wants(t, http.StatusOK, "last owner")
	s.Apply(`{partners: [{name: Partner Inc, members: [{email: ` + posterntest.Coder + `, disabled: false}]}]}`)
	owner.Press(owner.Get(own), "Save", "role", "viewer").Wants(t, http.StatusOK, "The role is changed")
}

func TestPA01_AnotherPartnersTeamIsAsOneThatDoesNotExist(t *testing.T) {
	engines.Each(t, otherTeamsAreUnknown)
}

func otherTeamsAreUnknown(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	id, members := idsOf(t, s, posterntest.Dev)
	s.Invite(newcomer, partner, postern.Viewer)
	var pending string
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		list, err := rooms.DB.PendingInvitations(ctx, id, s.Clock.Now())
		if err == nil {
			pending = list[0].ID
		}
		return err
	})
	eve := s.Portal(posterntest.OtherDev)
	other, others := idsOf(t, s, posterntest.OtherDev)
	for _, path := range []string{
		"ID/invite", "ID%00/invite", "ID%ff/invite", "ID/members/%00", "ID/invitations/%00/remove", "ID/members/" + members[posterntest.Coder], "ID/members/" + members[posterntest.Coder] + "/remove", "ID/invitations/" + pending + "/remove",
	} {
		real := "/portal/team/" + strings.Replace(path, "ID", id, 1)
		random := "/portal/team/" + strings.Replace(path, "ID", "par_0000000000000000000000", 1)
		a, b := eve.Get(real), eve.Get(random)
		if a.Status != http.StatusNotFound || withoutID(a) != withoutID(b) {
			t.Errorf("%s: %d %s\n%s: %d %s", real, a.Status, a.Text(), random, b.Status, b.Text())
		}
		for _, form := range []url.Values{{"form_token": {token(eve, "/portal/team/"+other+"/invite")}, "role": {"owner"}, "email": {"eve@evil.test"}}, {}} {
			a, b := eve.Post(real, form), eve.Post(random, form)
			if a.Status != http.StatusNotFound || withoutID(a) != withoutID(b) {
				t.Errorf("POST %s: %d %s\n%s: %d %s", real, a.Status, a.Text(), random, b.Status, b.Text())
			}
		}
	}
	// The own partner's address with another's member or invitation.
	for _, path := range []string{"/members/" + members[posterntest.Coder], "/members/" + members[posterntest.Coder] + "/remove", "/invitations/" + pending + "/remove"} {
		eve.Get("/portal/team/"+other+path).Wants(t, http.StatusNotFound)
	}
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		mixed := map[string]string{"eve": others[posterntest.OtherDev], "coder": members[posterntest.Coder]}
		for name, err := range map[string]error{
			"role there":   rooms.Identity.SetRole(ctx, act(id, mixed, "eve", "coder"), postern.Viewer),
			"role here":    rooms.Identity.SetRole(ctx, act(other, mixed, "eve", "coder"), postern.Viewer),
			"remove there": rooms.Identity.RemoveMember(ctx, act(id, mixed, "eve", "coder")),
			"remove here":  rooms.Identity.RemoveMember(ctx, act(other, mixed, "eve", "coder")),
			"back there":   rooms.Identity.TakeBack(ctx, act(id, mixed, "eve", ""), pending),
			"back here":    rooms.Identity.TakeBack(ctx, act(other, mixed, "eve", ""), pending),
			"invite":       invites(ctx, rooms, id, mixed["eve"], "eve@evil.test"),
		} {
			if !postern.Is(err, postern.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
	if got := roleOf(s, posterntest.Coder); got != "developer" {
		t.Errorf("the role is %q", got)
	}
}

// withoutID is a page without the name of the request.
func withoutID(p *posterntest.Page) string {
	before, _, _ := strings.Cut(p.Text(), "req_")
	return before
}

// A file's word ends what its owner gave, as the team's own does.
func TestPA18_InvitationsEndWithAnOwnerWhomAFilePutsOut(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		for how, rest := range map[string]string{"demoted": "role: viewer", "removed": "remove: true", "off": "disabled: true"} {
			owner, friend := how+"@partner.test", "friend.of."+how+"@evil.test"
			declare := func(rest string) {
				s.Apply(`{partners: [{name: Partner Inc, members: [{email: ` + owner + `, ` + rest + `}]}]}`)
			}
			declare("role: owner, password: " + chosen)
			partnerID, ids := idsOf(t, s, owner)
			s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
				_, err := rooms.Identity.Invite(ctx, identity.Invite{
					Partner: postern.Partner{ID: partnerID, Name: partner}, Email: friend, Role: postern.Owner, By: &postern.Staff{ID: ids[owner]},
				})
				return err
			})
			link := s.Waiting(friend)
			s.Browser().Get(link).Wants(t, 200, "Join Partner Inc")
			declare(rest)
			if p := s.Browser().Get(link); p.Status != 404 {
				t.Errorf("%s: %d %s", how, p.Status, p.Text())
			}
		}
	})
}

func TestAnOwnerInvitesAndTakesBack(t *testing.T) {
	engines.Each(t, ownerInvites)
}

func ownerInvites(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	id, _ := idsOf(t, s, posterntest.Dev)
	owner := s.Portal(posterntest.Dev)
	invite := "/portal/team/" + id + "/invite"
	page := owner.Get(invite)
	owner.Press(page, "Invite", "email", "nobody", "role", "viewer").Wants(t, http.StatusOK, "This is not an e-mail address")
	owner.Press(page, "Invite", "email", "CODER@partner.test", "role", "viewer").Wants(t, http.StatusOK, "member of the team already")
	owner.Press(page, "Invite", "email", newcomer, "role", "viewer").Wants(t, http.StatusOK, "The people who run this service have its link")
	link := s.Waiting(newcomer)
	stranger := posterntest.NewBrowser(t, s.URL)
	stranger.Get(link).Wants(t, http.StatusOK, "dev@partner.test invites you", "You will be a viewer")
	page = owner.Get("/portal/team").Wants(t, http.StatusOK, newcomer, "Invited")
	if strings.Contains(page.Body, link) {
		t.Error("the link is shown again")
	}
	_, back, _ := strings.Cut(page.Body, `href="/portal/team/`+id+`/invitations/`)
	back, _, _ = strings.Cut(back, `"`)
	page = owner.Get("/portal/team/"+id+"/invitations/"+back).Wants(t, http.StatusOK, "Take the invitation of "+newcomer+" back?")
	owner.Press(page, "Take back").Wants(t, http.StatusOK, "does not work any more")
	stranger.Get(link).Wants(t, http.StatusNotFound)
}

func TestATeamInvitesSoManyADay(t *testing.T) {
	s := posterntest.New(t)
	id, members := idsOf(t, s, posterntest.Dev)
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		for n := range 51 {
			err := invites(ctx, rooms, id, members[posterntest.Dev], fmt.Sprintf("eve%d@evil.test", n))
			if n < 50 && err != nil || n == 50 && !postern.Is(err, postern.RateLimited) {
				t.Errorf("invitation %d: %v", n+1, err)
			}
		}
		return nil
	})
}

// A team does not fill somebody's letter box either.
func TestATeamWritesToOnePersonSoOftenADay(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		box := postbox.New(t)
		s := posterntest.New(t, withMail(box), posterntest.On(database))
		id, _ := idsOf(t, s, posterntest.Dev)
		dev := s.Portal(posterntest.Dev)
		invite := func(email string) *posterntest.Page {
			return dev.Press(dev.Get("/portal/team/"+id+"/invite"), "Invite", "email", email, "role", "viewer")
		}
		for _, spelling := range []string{"victim@else.test", "Victim@else.test", "VICTIM@ELSE.TEST"} {
			invite(spelling).Wants(t, http.StatusOK, "on its way by mail")
		}
		invite("victim@Else.test").Wants(t, http.StatusTooManyRequests, "several times today")
		invite("other@else.test").Wants(t, http.StatusOK, "on its way by mail")
		if n := len(box.Wait(4)); n != 4 {
			t.Errorf("%d mails", n)
		}
		s.Clock.Advance(9 * time.Minute) // the sign-in is fresh still
		invite("victim@else.test").Wants(t, http.StatusTooManyRequests)
	})
}

func TestPA16_TheTeamChangesWithAFreshSignInOnly(t *testing.T) {
	s := posterntest.New(t)
	id, members := idsOf(t, s, posterntest.Dev)
	owner := s.Portal(posterntest.Dev)
	invite := "/portal/team/" + id + "/invite"
	form := owner.Get(invite)
	member := owner.Get("/portal/team/" + id + "/members/" + members[posterntest.Viewer])
	remove := owner.Get("/portal/team/" + id + "/members/" + members[posterntest.Viewer] + "/remove")
	s.Clock.Advance(10*time.Minute + time.Second)
	for _, page := range []*posterntest.Page{
		owner.Press(form, "Invite", "email", "eve@evil.test", "role", "owner"),
		owner.Press(member, "Save", "role", "owner"),
		owner.Press(remove, "Remove"),
	} {
		page.Wants(t, 200, "Your password, once more")
	}
	if got := roleOf(s, posterntest.Viewer); got != "viewer" {
		t.Errorf("the role is %q", got)
	}
	asked := owner.Press(member, "Save", "role", "owner")
	owner.SignIn(asked, posterntest.Dev, posterntest.Password).Wants(t, 200, "The role is changed")
	if got := roleOf(s, posterntest.Viewer); got != "owner" {
		t.Errorf("after the password the role is %q", got)
	}
}

func TestPA21_WhatIsDoneToATeamIsWrittenDown(t *testing.T) {
	s := posterntest.New(t)
	id, members := idsOf(t, s, posterntest.Dev)
	owner := s.Portal(posterntest.Dev)
	team := "/portal/team/" + id
	owner.Press(owner.Get(team+"/invite"), "Invite", "email", newcomer, "role", "viewer")
	owner.Press(owner.Get(team+"/members/"+members[posterntest.Coder]), "Save", "role", "viewer")
	owner.Press(owner.Get(team+"/members/"+members[posterntest.Coder]+"/remove"), "Remove")
	kept := posterntest.Dump(t, s.Database)
	for _, words := range []string{
		"member.invited", newcomer + " as viewer", "member.role_changed", "coder@partner.test: developer to viewer", "member.removed",
		"staff:" + members[posterntest.Dev], "partner:" + id,
	} {
		if !strings.Contains(kept, words) {
			t.Errorf("the audit log lacks %q", words)
		}
	}
}

// Without a mail server an owner learns nothing of an address, and gets no link
// with which to have a sign-in in somebody else's name: the operator has it.
func TestPA10_AnInvitationTellsAnOwnerNothingOfTheAddress(t *testing.T) {
	s := posterntest.New(t)
	id, members := idsOf(t, s, posterntest.Dev)
	owner := s.Portal(posterntest.Dev)
	path := "/portal/team/" + id + "/invite"
	answers := map[string]string{}
	for _, email := range []string{posterntest.OtherDev, newcomer} {
		page := owner.Press(owner.Get(path), "Invite", "email", email, "role", "viewer").Wants(t, http.StatusOK, email)
		if strings.Contains(page.Body, identity.InvitePath) {
			t.Errorf("an owner is shown the link of %s", email)
		}
		answers[email] = strings.ReplaceAll(page.Text(), email, "…")
		_, back, _ := strings.Cut(page.Body, `href="/portal/team/`+id+`/invitations/`)
		back, _, _ = strings.Cut(back, `"`)
		owner.Press(owner.Get("/portal/team/"+id+"/invitations/"+back), "Take back")
	}
	if answers[newcomer] != answers[posterntest.OtherDev] {
		t.Errorf("told apart:\n%s\n%s", answers[newcomer], answers[posterntest.OtherDev])
	}
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		link, err := rooms.Identity.Invite(ctx, identity.Invite{
			Partner: postern.Partner{ID: id}, Email: newcomer, Role: postern.Owner, By: &postern.Staff{ID: members[posterntest.Dev]}, ByHand: true,
		})
		if err == nil && link.Secret != "" {
			t.Error("the rule hands an owner the link")
		}
		return err
	})
}
