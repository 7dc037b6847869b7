package portal_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/postbox"
	"postern.dev/postern/internal/server"
)

const (
	partner  = "Partner Inc"
	newcomer = "new@partner.test"
	chosen   = "a small gate in the wall"
)

// accept fills in the form of a link for somebody new.
func accept(b *posterntest.Browser, page *posterntest.Page, button string) *posterntest.Page {
	return b.Press(page, button, "name", "Nia New", "new_password", chosen, "new_password_again", chosen)
}

func TestAnInvitationLeadsSomebodyNewIntoTheTeam(t *testing.T) {
	s := posterntest.New(t)
	path := s.Invite(newcomer, partner, postern.Developer)
	b := posterntest.NewBrowser(t, s.URL)
	page := b.Get(path).Wants(t, http.StatusOK, "Join Partner Inc", "You will be a developer")
	if !strings.Contains(page.Body, newcomer) {
		t.Error("it does not say for whom it is")
	}
	b.Press(page, "Join the team", "name", "", "new_password", chosen, "new_password_again", chosen).
		Wants(t, http.StatusOK, "Write your name.")
	b.Press(page, "Join the team", "name", "Nia", "new_password", chosen, "new_password_again", "x").
		Wants(t, http.StatusOK, "not the same")
	in := accept(b, page, "Join the team")
	if in.URL.Path != "/portal" || in.Status != http.StatusOK {
		t.Fatalf("it led to %s: %d %s", in.URL, in.Status, in.Text())
	}
	b.Get("/portal/team").Wants(t, http.StatusOK, "Nia New", "Developer", newcomer)
	// The password is theirs from now on.
	again := posterntest.NewBrowser(t, s.URL)
	if page := again.SignIn(again.Get("/portal/login"), newcomer, chosen); page.URL.Path != "/portal" {
		t.Error("the password does not open the portal")
	}
}

func TestAnInvitationOfAKnownPersonAsksForThePasswordThatTheyHave(t *testing.T) {
	s := posterntest.New(t)
	b := posterntest.NewBrowser(t, s.URL)
	page := b.Get(s.Invite(posterntest.OtherDev, partner, postern.Viewer)).Wants(t, http.StatusOK, "The one that you sign in with")
	b.Press(page, "Join the team", "password", "wrong").Wants(t, http.StatusOK, "not right")
	if in := b.Press(page, "Join the team", "password", posterntest.Password); in.URL.Path != "/portal" {
		t.Fatalf("%s: %s", in.URL, in.Text())
	}
	b.Get("/portal/team").Wants(t, http.StatusOK, "Partner Inc", "Other Inc")
	// Signed in, they only say yes; signed in as somebody else, they sign in.
	coder, viewer := s.Portal(posterntest.Coder), s.Portal(posterntest.Viewer)
	path := s.Invite(posterntest.Coder, "Other Inc", postern.Owner)
	viewer.Get(path).Wants(t, http.StatusOK, "Password", "The one that you sign in with")
	coder.Press(coder.Get(path), "Join the team").Wants(t, http.StatusOK)
	coder.Get("/portal/team").Wants(t, http.StatusOK, "Other Inc", "Partner Inc")
}

func TestPA17_AnInvitationIsTakenOnceByWhomItIsForInTheRoleThatItSays(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		path := s.Invite(newcomer, partner, postern.Viewer)
		var taken, gone atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				b := posterntest.NewBrowser(t, s.URL)
				page := b.Get(path)
				if page.Status == http.StatusNotFound {
					gone.Add(1)
					return
				}
				in := b.Press(page, "Join the team", "name", "Nia", "new_password", chosen, "new_password_again", chosen,
					"role", "owner", "email", "eve@evil.test", "partner", "Other Inc")
				switch {
				case in.URL.Path == "/portal" && in.Status == http.StatusOK:
					taken.Add(1)
				case in.Status == http.StatusNotFound || in.Status == http.StatusServiceUnavailable || in.Status == http.StatusConflict:
					gone.Add(1)
				default:
					t.Errorf("%d %s", in.Status, in.Text())
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 || gone.Load() != 49 {
			t.Errorf("taken %d times, refused %d times", taken.Load(), gone.Load())
		}
		if said := postern.Role(roleOf(s, newcomer)); said != postern.Viewer {
			t.Errorf("the role is %q", said)
		}
		b := posterntest.NewBrowser(t, s.URL)
		b.Get(path).Wants(t, http.StatusNotFound, "used or is too old")
		// A later one takes the place of an earlier one, and all end after seven days.
		first := s.Invite("two@partner.test", partner, postern.Owner)
		second := s.Invite("TWO@partner.test", partner, postern.Developer)
		b.Get(first).Wants(t, http.StatusNotFound)
		b.Get(second).Wants(t, http.StatusOK)
		s.Clock.Advance(7 * 24 * time.Hour)
		b.Get(second).Wants(t, http.StatusNotFound)
		b.Get("/portal/invite/nonsense").Wants(t, http.StatusNotFound)
		b.Get("/portal/invite/"+strings.Repeat("x", 43)).Wants(t, http.StatusNotFound)
	})
}

// roleOf is a member's role in the partner of these tests, as the rows say.
func roleOf(s *posterntest.Postern, email string) (role string) {
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		credential, err := rooms.DB.StaffCredential(ctx, postern.PartnerRealm, email, postern.Hash{}, s.Clock.Now())
		if err != nil {
			return err
		}
		of, err := rooms.DB.MemberOf(ctx, credential.Staff.ID)
		if err == nil && len(of) != 1 {
			err = errors.New("they are with another number of partners than one")
		}
		if err == nil {
			role = string(of[0].Role)
		}
		return err
	})
	return role
}

func TestPA17_SomebodyElsesInvitationIsNotTaken(t *testing.T) {
	s := posterntest.New(t)
	path := s.Invite(posterntest.Coder, "Other Inc", postern.Owner)
	viewer := s.Portal(posterntest.Viewer)
	page := viewer.Get(path)
	// Nothing but coder's password helps, whoever is signed in.
	viewer.Press(page, "Join the team", "email", posterntest.Viewer, "password", posterntest.Password+"x").Wants(t, http.StatusOK, "not right")
	viewer.Get("/portal/team").Wants(t, http.StatusOK, partner)
	if viewer.Get("/portal/team").Has("Other Inc") {
		t.Error("somebody else took it")
	}
	// The form of one browser is not another's.
	other := posterntest.NewBrowser(t, s.URL)
	form := page.Forms()[0].Fields
	form.Set("password", posterntest.Password)
	other.Post(path, form).Wants(t, http.StatusForbidden)
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		v, err := rooms.DB.StaffCredential(ctx, postern.PartnerRealm, posterntest.Viewer, postern.Hash{}, s.Clock.Now())
		if err != nil {
			return err
		}
		err = rooms.Identity.AcceptAs(ctx, postern.Secret(strings.TrimPrefix(path, "/portal/invite/")), &v.Staff, false, "")
		if !postern.Is(err, postern.Forbidden) {
			t.Errorf("taken by somebody else: %v", err)
		}
		return nil
	})
	viewer.Get(path).Wants(t, http.StatusOK) // it waits for its owner still
}

var linkInMail = regexp.MustCompile(`/portal/(invite|reset)/[0-9A-Za-z]{43}`)

// mailed is the path of the link in the latest of so many mails.
func mailed(t *testing.T, box *postbox.Postbox, n int, to string) string {
	t.Helper()
	m := box.Wait(n)[n-1]
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || m.To != to {
		t.Fatalf("the mail went to %s: %v", m.To, err)
	}
	return linkInMail.FindString(string(text))
}

func withMail(box *postbox.Postbox) posterntest.Option {
	return posterntest.Set("mail", map[string]any{"smtp": "smtp://" + box.Addr, "from": "no-reply@acme.test"})
}

func registers(how string) posterntest.Option {
	return posterntest.Set("sign_in", map[string]any{"partners": how})
}

func TestACompanyRegistersItselfAndItsEmailIsVerified(t *testing.T) {
	engines.Each(t, companyRegisters)
}

func companyRegisters(t *testing.T, database string) {
	box := postbox.New(t)
	s := posterntest.New(t, registers("open"), withMail(box), posterntest.On(database))
	b := posterntest.NewBrowser(t, s.URL)
	page := b.Get("/portal/login").Wants(t, http.StatusOK, "Register your company")
	page = b.Get("/portal/register").Wants(t, http.StatusOK, "A link goes there")
	b.Press(page, "Register", "company", "", "name", "Nia", "email", "nobody").
		Wants(t, http.StatusOK, "Write the name of your company.", "This is not an e-mail address")
	b.Press(page, "Register", "company", "P\u043estern", "name", "Nia", "email", newcomer).
		Wants(t, http.StatusOK, "looks like Postern itself")
	b.Press(page, "Register", "company", "partner INC", "name", "Nia", "email", newcomer).
		Wants(t, http.StatusOK, "A partner of this name is here already")
	b.Press(page, "Register", "company", "Newhire", "name", "Nia", "email", newcomer).
		Wants(t, http.StatusOK, "A link is on its way to "+newcomer)
	if page := b.Get("/portal/team"); page.URL.Path != "/portal/login" {
		t.Error("in without a verified e-mail")
	}
	link := mailed(t, box, 1, newcomer)
	page = b.Get(link).Wants(t, http.StatusOK, "Register Newhire", "is confirmed")
	if in := accept(b, page, "Register"); in.URL.Path != "/portal" {
		t.Fatalf("%s %s", in.URL, in.Text())
	}
	b.Get("/portal/team").Wants(t, http.StatusOK, "Newhire", "Nia New", "Owner")
	b.Get(link).Wants(t, http.StatusNotFound)
}

func TestWithoutMailTheOperatorHandsTheLinkOver(t *testing.T) {
	s := posterntest.New(t, registers("open"))
	b := posterntest.NewBrowser(t, s.URL)
	page := b.Get("/portal/register").Wants(t, http.StatusOK, "You sign in with it.")
	if page.Has("A link goes there") {
		t.Error("a mail is promised, and none is sent")
	}
	b.Press(page, "Register", "company", "Newhire", "name", "Nia", "email", newcomer).
		Wants(t, http.StatusOK, "The people who run this service have a link")
	if in := accept(b, b.Get(s.Waiting(newcomer)), "Register"); in.URL.Path != "/portal" {
		t.Fatalf("%s %s", in.URL, in.Text())
	}
	b.Get("/portal/forgot").Wants(t, http.StatusOK, "Ask the people who run this service")
}

func TestWhereRegistrationIsNotAllowedThereIsNone(t *testing.T) {
	s := posterntest.New(t)
	b := posterntest.NewBrowser(t, s.URL)
	b.Get("/portal/register").Wants(t, http.StatusNotFound)
	b.Post("/portal/register", url.Values{"company": {"X"}}).Wants(t, http.StatusNotFound)
	if b.Get("/portal/login").Has("Register") {
		t.Error("the sign-in leads to a registration that is not there")
	}
}

func TestARegisteredPartnerWaitsForAnOperator(t *testing.T) {
	engines.Each(t, registeredWaits)
}

func registeredWaits(t *testing.T, database string) {
	box := postbox.New(t)
	s := posterntest.New(t, registers("approve"), withMail(box), posterntest.On(database))
	var refused string // the id of the last
	for n, c := range []struct {
		company, email string
		answer         func(ctx context.Context, rooms *server.Rooms, id string) error
		off            bool
	}{
		{"Goodhire", "good@hire.test", func(ctx context.Context, rooms *server.Rooms, id string) error {
			return rooms.Identity.ApprovePartner(ctx, id, "staff:op", "")
		}, false},
		{"Badhire", "bad@hire.test", func(ctx context.Context, rooms *server.Rooms, id string) error {
			return rooms.Identity.RejectPartner(ctx, id, "We do not know you.", "staff:op", "")
		}, true},
	} {
		b := posterntest.NewBrowser(t, s.URL)
		b.Press(b.Get("/portal/register"), "Register", "company", c.company, "name", "Nia", "email", c.email)
		accept(b, b.Get(mailed(t, box, 2*n+1, c.email)), "Register")
		b.Get("/portal").Wants(t, http.StatusOK, "We look at your registration")
		s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
			waiting, err := rooms.Identity.WaitingPartners(ctx)
			if err != nil || len(waiting) != 1 || waiting[0].Name != c.company || len(waiting[0].Owners) != 1 || !waiting[0].Disabled {
				t.Fatalf("waiting: %+v, %v", waiting, err)
			}
			id := waiting[0].ID
			if b.Get("/portal/team").Has("Invite somebody") {
				t.Error("a team that waits is offered to invite")
			}
			b.Get("/portal/team/"+id+"/invite").Wants(t, http.StatusForbidden, "waits for the operator")
			refused = id
			if err := c.answer(ctx, rooms, id); err != nil {
				return err
			}
			if err := rooms.Identity.RejectPartner(ctx, id, "Again.", "staff:op", ""); !postern.Is(err, postern.Conflict) {
				t.Errorf("answered twice: %v", err)
			}
			of, err := rooms.DB.MemberOf(ctx, waiting[0].Owners[0].ID)
			if err != nil || len(of) != 1 || of[0].Partner.Disabled != c.off || !of[0].Partner.Waiting.IsZero() || (of[0].Partner.Refusal != "") != c.off {
				t.Errorf("then %+v, %v", of, err)
			}
			return nil
		})
		box.Wait(2*n + 2) // the owner is told
		if said := b.Get("/portal").Has("We do not know you."); said != c.off {
			t.Errorf("the page tells of a refusal: %v", said)
		}
	}
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		return rooms.Identity.ApprovePartner(ctx, refused, "staff:op", "")
	})
	box.Wait(5) // of a second thought, too
}

// Anybody can register under the name of a company that the operator is about to
// declare or to invite. Whoever did so owns nothing of what is meant for the other.
func TestACompanyThatRegisteredItselfIsNotTheOneThatIsMeant(t *testing.T) {
	for _, how := range []string{"open", "approve"} {
		engines.Each(t, func(t *testing.T, database string) {
			s := posterntest.New(t, registers(how), posterntest.On(database))
			b := posterntest.NewBrowser(t, s.URL)
			b.Press(b.Get("/portal/register"), "Register", "company", "Newhire", "name", "Eve", "email", newcomer)
			accept(b, b.Get(s.Waiting(newcomer)), "Register")
			id, _ := idsOf(t, s, newcomer)

			const app = `, apps: [{client_id: newhire-app, name: Newhire, dialect: standard, redirect_urls: [https://newhire.test/cb]}]}]}`
			if err := s.TryApply(`{partners: [{name: Newhire` + app); err == nil || !strings.Contains(err.Error(), "registered itself ("+id+")") {
				t.Errorf("a file: %v", err)
			}
			op := s.Console(posterntest.Operator)
			op.Press(op.Get("/operator/partners"), "Invite", "company", "Newhire", "email", "ceo@newhire.test").
				Wants(t, http.StatusOK, "registered itself", "/operator/partners/"+id)
			if p := b.Get("/portal"); p.Has("newhire-app") || b.Get("/portal/team").Has("ceo@newhire.test") {
				t.Errorf("the stranger has it: %s", p.Text())
			}
			// Who looked, and means it, says so.
			s.Apply(`{partners: [{id: ` + id + `, name: Newhire` + app)
			page := op.Get("/operator/partners/" + id)
			if how == "approve" {
				op.Press(page, "Approve").Wants(t, http.StatusOK, "Approved")
				s.Apply(`{partners: [{name: Newhire` + app)
				page = op.Get("/operator/partners")
			}
			op.Press(page, "Invite", "company", "Newhire", "email", "ceo@newhire.test", "role", "viewer").Wants(t, http.StatusOK, "/portal/invite/")
		})
	}
}

// An operator who shuts the door has shut it for those who stand in it.
func TestWhoRegisteredBeforeTheDoorWasShutWaits(t *testing.T) {
	for _, was := range []string{"open", "approve"} {
		s := posterntest.New(t, registers(was))
		b := posterntest.NewBrowser(t, s.URL)
		b.Press(b.Get("/portal/register"), "Register", "company", "Newhire", "name", "Nia", "email", newcomer)
		link := s.Waiting(newcomer)
		if _, err := s.Reload(registers("invite")); err != nil {
			t.Fatal(err)
		}
		accept(b, b.Get(link), "Register")
		b.Get("/portal").Wants(t, http.StatusOK, "We look at your registration")
		op := s.Console(posterntest.Operator)
		op.Get("/operator").Wants(t, http.StatusOK, "Newhire", newcomer)
	}
}

// What a stranger is answered about an e-mail that is known, and about one that
// is not, is the same to the byte.
func TestLC18_PA10_NothingTellsWhetherAnEmailIsKnown(t *testing.T) {
	box := postbox.New(t)
	s := posterntest.New(t, registers("open"), withMail(box))
	shape := func(page *posterntest.Page, email string) string {
		text := strings.ReplaceAll(page.Body, email, "EMAIL")
		text = regexp.MustCompile(`name="form_token" value="[^"]*"`).ReplaceAllString(text, "TOKEN")
		header := page.Header.Clone()
		for _, name := range []string{"Date", "X-Request-Id", "Content-Length"} {
			header.Del(name)
		}
		var all strings.Builder
		if err := header.Write(&all); err != nil {
			t.Fatal(err)
		}
		return page.URL.RequestURI() + "\n" + all.String() + text
	}
	try := func(email string) (all []string) {
		b := posterntest.NewBrowser(t, s.URL)
		for _, page := range []*posterntest.Page{
			b.SignIn(b.Get("/portal/login"), email, "not the password"),
			b.SignIn(b.Get("/operator/login"), email, "not the password"),
			b.Press(b.Get("/portal/register"), "Register", "company", "Company of "+email, "name", "Nia", "email", email),
			b.Press(b.Get("/portal/forgot"), "Send the link", "email", email),
			b.Press(b.Get("/operator/forgot"), "Send the link", "email", email),
		} {
			all = append(all, shape(page, email))
		}
		return all
	}
	known, unknown := try(posterntest.Dev), try("not@partner.test")
	for i := range known {
		if known[i] != unknown[i] {
			t.Errorf("of a known e-mail:\n%s\nof an unknown one:\n%s", known[i], unknown[i])
		}
	}
	// The owners of the addresses hear of it: two registrations, and one reset.
	for _, m := range box.Wait(3) {
		if m.To != posterntest.Dev && m.To != "not@partner.test" {
			t.Errorf("a mail went to %s", m.To)
		}
	}
}

func TestForgottenPasswordsAreSetByMail(t *testing.T) {
	box := postbox.New(t)
	s := posterntest.New(t, withMail(box))
	b := posterntest.NewBrowser(t, s.URL)
	b.Press(b.Get("/portal/forgot"), "Send the link", "email", posterntest.Dev).Wants(t, http.StatusOK, "If "+posterntest.Dev+" can sign in here")
	page := b.Get(mailed(t, box, 1, posterntest.Dev))
	in := b.Press(page, "Set password", "new_password", chosen, "new_password_again", chosen)
	if page := b.SignIn(in, posterntest.Dev, chosen); page.URL.Path != "/portal" {
		t.Errorf("%s", page.Text())
	}
}

func TestRegistrationsAreBoundedBySourceAndByEmail(t *testing.T) {
	box := postbox.New(t)
	s := posterntest.New(t, registers("open"), withMail(box))
	var heard, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			b := posterntest.NewBrowser(t, s.URL)
			form := b.Get("/portal/register").Forms()[0].Fields
			form.Set("company", "Flood")
			form.Set("name", "Nia")
			form.Set("email", "one@flood.test")
			switch page := b.Do("POST", "/portal/register", form, http.Header{"X-Forwarded-For": {"203.0.113." + string(rune('0'+i%10))}}); page.Status {
			case http.StatusOK:
				heard.Add(1)
			case http.StatusTooManyRequests:
				refused.Add(1)
			default:
				t.Errorf("%d: %s", page.Status, page.Text())
			}
		})
	}
	all.Wait()
	if heard.Load() != 20 || refused.Load() != 180 {
		t.Errorf("heard %d, refused %d", heard.Load(), refused.Load())
	}
	box.Wait(3)
	s.Clock.Advance(time.Hour + time.Second)
	b := posterntest.NewBrowser(t, s.URL)
	b.Press(b.Get("/portal/register"), "Register", "company", "Flood", "name", "Nia", "email", "one@flood.test").
		Wants(t, http.StatusOK, "A link is on its way") // it is not, and nobody is told
	b.Press(b.Get("/portal/register"), "Register", "company", "Calm", "name", "Nia", "email", "two@flood.test")
	mails := box.Wait(4)
	if len(mails) != 4 || mails[3].To != "two@flood.test" {
		t.Errorf("%d mails came, the last to %s", len(mails), mails[len(mails)-1].To)
	}
}

// Being signed in with the e-mail that an invitation is for is no proof that the
// e-mail is one's own, where nobody has vouched for it: the link asks for a new
// password, and ends the old one.
func TestPA17_ASignInForWhichNobodyVouchesIsAskedForANewPassword(t *testing.T) {
	s := posterntest.New(t)
	old := s.Portal(posterntest.Coder)
	rows, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(s.Database, "sqlite:")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if _, err := rows.Exec(`UPDATE staff SET vouched_by = '' WHERE email_folded = $1`, posterntest.Coder); err != nil {
		t.Fatal(err)
	}
	s.Console(posterntest.Operator).Get("/operator/partners/"+partnerOf(t, s)).Wants(t, http.StatusOK, "nobody vouches for the e-mail")
	path := s.Invite(posterntest.Coder, "Other Inc", postern.Developer)
	page := old.Get(path).Wants(t, http.StatusOK, "Join Other Inc", "New password")
	person := posterntest.NewBrowser(t, s.URL)
	accept(person, person.Get(path), "Join the team").Wants(t, http.StatusOK, "Partner Inc", "Other Inc")
	accept(old, page, "Join the team").Wants(t, http.StatusNotFound)
	if page := old.Get("/portal"); page.URL.Path != "/portal/login" {
		t.Errorf("the old sign-in goes on: %s", page.Text())
	}
	if page := old.SignIn(old.Get("/portal/login"), posterntest.Coder, posterntest.Password); page.URL.Path == "/portal" {
		t.Error("the old password goes on")
	}
}

// partnerOf is the id of the partner of these tests.
func partnerOf(t *testing.T, s *posterntest.Postern) string {
	t.Helper()
	id, _ := idsOf(t, s, posterntest.Dev)
	return id
}
