package admin_test

import (
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/postbox"
)

// registered makes an app in the portal, and gives its client_id.
func registered(t *testing.T, b *posterntest.Browser, name string) string {
	t.Helper()
	link := regexp.MustCompile(`/portal/partners/par_[A-Za-z0-9]+/apps/new`).FindString(b.Get("/portal").Body)
	page := b.Press(b.Get(link), "Create app", "name", name, "description", "Brings candidates.", "url", "https://partner.test",
		"redirect_urls", "https://partner.test/integrations/cb", "scope", "candidates.read", "reason:candidates.read", "To show them at night")
	id := strings.TrimPrefix(page.URL.Path, "/portal/apps/")
	if !strings.HasPrefix(id, "app_") {
		t.Fatalf("creating led to %s: %s", page.URL, page.Text())
	}
	return id
}

func TestANewAppIsConnectedToRealAccountsWhenTheOperatorApprovesIt(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("apps", "review"))
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	id := registered(t, dev, "Night Sync")
	app := posterntest.App{ID: id, Name: "Night Sync", RedirectURL: "https://partner.test/integrations/cb", Dialect: "standard"}
	dev.Get("/portal/apps/"+id).Wants(t, 200, "waits for approval")

	ada := s.SignedIn(posterntest.Ada)
	ada.Get(s.AuthorizeURL(app, "scope", "candidates.read")).Wants(t, 200, "has not been approved for real accounts yet")

	op.Get("/operator").Wants(t, 200, "Night Sync", "Partner Inc", "Asks to be connected")
	page := op.Get("/operator/apps/"+id).Wants(t, 200, "To show them at night", "https://partner.test/integrations/cb", "Let Night Sync act for you?")
	op.Press(page, "Reject", "reason", "").Wants(t, 200, "Say why")
	op.Press(page, "Reject", "reason", "Please say\nwho you are.").Wants(t, 200, "Rejected")
	dev.Get("/portal/apps/"+id).Wants(t, 200, "was not approved", "Please say who you are.")
	op.Get("/operator").Wants(t, 200, "Nothing waits")
	dev.Press(dev.Get("/portal/apps/"+id), "Hand it in again as it is").Wants(t, 200, "Handed in again")
	page = op.Get("/operator/apps/"+id).Wants(t, 200, "You said no to it before:", "Please say who you are.")
	op.Press(page, "Approve").Wants(t, 200, "Approved")
	op.Press(page, "Approve").Wants(t, http.StatusConflict)
	if p := dev.Get("/portal/apps/" + id); p.Has("Please say who you are.") {
		t.Errorf("an app that is approved is refused still: %s", p.Text())
	}
	ada.Get(s.AuthorizeURL(app, "scope", "candidates.read")).Wants(t, 200, "Let Night Sync act for you?")
	op.Get("/operator/audit?object=app:"+id).Wants(t, 200, "app.approved", "app.rejected", "app.created", "Please say who you are.")
}

func TestAPartnerReadsWhatWasSaidWithAnApproval(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database), posterntest.Set("apps", "review"))
		dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
		id := registered(t, dev, "Night Sync")
		path := "/portal/apps/" + id
		op.Press(op.Get("/operator/apps/"+id), "Approve", "reason", "Welcome. Have\na logo soon.").Wants(t, 200, "Approved")
		dev.Get(path).Wants(t, 200, "Approved for real accounts", "Welcome. Have a logo soon.")
		dev.Press(dev.Get(path+"/settings"), "Save", "name", "Day Sync").Wants(t, 200, "Handed in")
		op.Press(op.Get("/operator/apps/"+id), "Approve", "reason", "A better name.").Wants(t, 200, "Approved")
		if p := dev.Get(path).Wants(t, 200, "Day Sync", "A better name."); p.Has("Welcome.") {
			t.Errorf("what was said before stands there still: %s", p.Text())
		}
		op.Get("/operator/audit?object=app:"+id).Wants(t, 200, "name: A better name.")
		dev.Press(dev.Get(path+"/settings"), "Save", "name", "Sync").Wants(t, 200, "Handed in")
		op.Press(op.Get("/operator/apps/"+id), "Approve").Wants(t, 200, "Approved")
		if p := dev.Get(path); p.Has("A better name.") {
			t.Errorf("nothing was said, and there stands: %s", p.Text())
		}
	})
}

func TestALiveAppStaysAsItIsWhileAChangeWaits(t *testing.T) {
	engines.Each(t, changeWaits)
}

func changeWaits(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database), posterntest.Set("apps", map[string]any{"review": "review"}))
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	path := "/portal/apps/" + posterntest.Standard.ID
	settings := dev.Get(path + "/settings")
	dev.Press(settings, "Save", "name", "Renamed Partner", "redirect_urls", "https://partner.test/integrations/cb\nhttps://partner.test/second",
		"reason:candidates.read", "a", "reason:candidates.write", "b", "reason:jobs.read", "c").Wants(t, 200, "Handed in", "Your change waits for approval")
	ada := s.SignedIn(posterntest.Ada)
	ada.Get(s.AuthorizeURL(posterntest.Standard)).Wants(t, 200, "Let Standard Partner act for you?")
	op.Get("/operator").Wants(t, 200, "name", "redirect URLs")
	page := op.Get("/operator/apps/"+posterntest.Standard.ID).Wants(t, 200, "Renamed Partner", "Standard Partner", "https://partner.test/second", "Asked for by")

	// What is changed after the operator looked is not approved with it.
	dev.Press(dev.Get(path+"/settings"), "Save", "name", "Renamed Again", "redirect_urls", "https://partner.test/integrations/cb\nhttps://partner.test/second").Wants(t, 200, "Handed in")
	op.Press(page, "Approve").Wants(t, http.StatusConflict, "changed after this page was shown")
	op.Press(page, "Reject", "reason", "Not your name.").Wants(t, http.StatusConflict, "changed after this page was shown", "Renamed Again", "Not your name.")
	ada.Get(s.AuthorizeURL(posterntest.Standard)).Wants(t, 200, "Let Standard Partner act for you?")
	op.Press(op.Get("/operator/apps/"+posterntest.Standard.ID), "Approve").Wants(t, 200, "Approved")
	ada.Get(s.AuthorizeURL(posterntest.Standard)).Wants(t, 200, "Let Renamed Again act for you?")
}

func TestWhatTheOperatorSwitchesOffStopsAtOnce(t *testing.T) {
	s := posterntest.New(t)
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	token := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token")
	id := posterntest.Standard.ID
	op.Press(op.Get("/operator/apps/"+id+"/off").Wants(t, 200, "Switch Standard Partner off?"), "Switch off").Wants(t, 200, "switched off")
	if s.Alive(token) {
		t.Error("the token of an app that is off is alive")
	}
	if page := dev.Get("/portal/apps/"+id).Wants(t, 200, "The operator has switched this app off"); strings.Contains(page.Body, id+"/on") {
		t.Error("the partner is offered to switch it on")
	}
	op.Press(op.Get("/operator/apps/"+id), "Switch on").Wants(t, 200, "Switched on")
	if !s.Alive(token) {
		t.Error("the token of an app that is on again is dead")
	}
	partner := regexp.MustCompile(`/operator/partners/par_[A-Za-z0-9]+`).FindString(op.Get("/operator/apps/" + id).Body)
	op.Press(op.Get(partner+"/off").Wants(t, 200, "Switch Partner Inc off?"), "Switch off").Wants(t, 200, "Switched off")
	if s.Alive(token) {
		t.Error("the token of an app of a partner that is off is alive")
	}
	dev.Get("/portal/apps/"+id).Wants(t, 200)
	dev.Get("/portal/apps/"+id+"/settings").Wants(t, 403, "switched off by the operator")
	dev.Post("/portal/apps/"+id+"/keys", nil).Wants(t, 403, "switched off by the operator")
	op.Press(op.Get(partner), "Switch on").Wants(t, 200, "Switched on")
	if !s.Alive(token) {
		t.Error("the token of an app of a partner that is on again is dead")
	}
}

func TestNoSecondCompanyDiffersInCaseAlone(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		op := s.Console(posterntest.Operator)
		page := op.Get("/operator/partners")
		invite := func(company string) *posterntest.Page {
			return op.Press(page, "Invite", "company", company, "email", "nia@new.test")
		}
		invite("Zürich Söhne").Wants(t, 200, "It works once")
		invite("ZÜRICH söhne").Wants(t, 200, "There is a partner “Zürich Söhne” already")
		invite("Zürich Söhne").Wants(t, 200, "It works once")
		if n := strings.Count(op.Get("/operator/partners").Text(), "rich S"); n != 1 {
			t.Errorf("there are %d of them", n)
		}
	})
}

func TestTheOperatorInvitesACompany(t *testing.T) {
	s := posterntest.New(t)
	op := s.Console(posterntest.Operator)
	op.Press(op.Get("/operator/partners"), "Invite", "company", " ", "email", "x").Wants(t, 200, "Write the name of your company", "not an e-mail address")
	page := op.Press(op.Get("/operator/partners"), "Invite", "company", "New Company", "email", "nia@new.test").Wants(t, 200, "New Company", "It works once")
	link := regexp.MustCompile(`/portal/invite/[A-Za-z0-9]+`).FindString(page.Body)
	newcomer := s.Browser()
	joined := newcomer.Press(newcomer.Get(link), "Join the team", "name", "Nia", "new_password", "a sentence of words", "new_password_again", "a sentence of words")
	joined.Wants(t, 200, "New Company", "There is no app yet")
	op.Get(page.URL.Path).Wants(t, 200)
	op.Get("/operator/partners").Wants(t, 200, "New Company", "1 person")
	again := op.Press(op.Get("/operator/partners"), "Invite", "company", "New Company", "email", "nia@new.test")
	again.Wants(t, 200, "New Company", "This person is a member of the team already", "Invite somebody")
	if !strings.Contains(again.Body, `value="nia@new.test"`) {
		t.Error("what was typed is gone")
	}
}

// However many partners there are, a page of them is no larger than others.
func TestPartnersAreListedByTheHundred(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		var more strings.Builder
		for n := range 120 {
			fmt.Fprintf(&more, "{name: Company %03d}, ", n)
		}
		s.Apply("partners: [" + more.String() + "]")
		op, link, seen := s.Console(posterntest.Operator), "/operator/partners", 0
		for range 2 {
			page := op.Get(link).Wants(t, 200)
			if len(page.Body) > 60_000 {
				t.Errorf("%s has %d bytes", link, len(page.Body))
			}
			for n := range 120 {
				if page.Has(fmt.Sprintf("Company %03d", n)) {
					seen++
				}
			}
			if next := regexp.MustCompile(`/operator/partners\?after=par_[A-Za-z0-9]+`).FindString(page.Body); next != "" {
				link = next
			}
		}
		if seen != 120 || !op.Get(link).Has("Partner Inc") {
			t.Errorf("two pages have %d of 120 partners", seen)
		}
		for _, odd := range []string{"par_none", "%00", "%ff"} {
			op.Get("/operator/partners?after="+odd).Wants(t, 404)
		}
	})
}

func TestPA_TheConsoleIsForOperatorsAlone(t *testing.T) {
	s := posterntest.New(t)
	id := posterntest.Standard.ID
	for name, b := range map[string]*posterntest.Browser{"nobody": s.Browser(), "a partner": s.Portal(posterntest.Dev), "a person": s.SignedIn(posterntest.Ada)} {
		for _, path := range []string{"", "/apps/" + id, "/apps/" + id + "/off", "/apps/" + id + "/proposed.png", "/partners", "/audit"} {
			if page := b.Get("/operator" + path); page.URL.Path != "/operator/login" {
				t.Errorf("%s gets %s: %d %s", name, path, page.Status, page.Text())
			}
		}
		for _, path := range []string{"/apps/" + id + "/answer", "/apps/" + id + "/off", "/apps/" + id + "/on", "/partners"} {
			if page := b.Post("/operator"+path, url.Values{"answer": {"approve"}}); page.URL.Path != "/operator/login" {
				t.Errorf("%s posts %s: %d %s", name, path, page.Status, page.Text())
			}
		}
	}
	op := s.Console(posterntest.Operator)
	for _, path := range []string{"/apps/app_none", "/apps/app_none/off", "/partners/par_none", "/partners/par_none/off", "/apps/" + id + "/proposed.png"} {
		op.Get("/operator"+path).Wants(t, 404)
	}
	op.Post("/operator/apps/"+id+"/off", url.Values{}).Wants(t, 403)
	op.Post("/operator/apps/"+id+"/answer", url.Values{"answer": {"approve"}}).Wants(t, 403)
	op.Get("/operator/audit?before=x").Wants(t, 400)
	op.Get("/operator/audit?before=-1").Wants(t, 400)
	op.Get("/operator/audit?actor="+url.QueryEscape("' OR 1=1 --\x00")).Wants(t, 200, "Nothing found")
}

func TestTheAuditLogIsReadPageByPage(t *testing.T) {
	engines.Each(t, auditGoesOn)
}

func auditGoesOn(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	op, dev := s.Console(posterntest.Operator), s.Portal(posterntest.Dev)
	id := posterntest.Standard.ID
	for i := range 60 {
		s.Clock.Advance(time.Second)
		settings := dev.Get("/portal/apps/" + id + "/settings")
		dev.Press(settings, "Save", "description", strings.Repeat("x", i+1)).Wants(t, 200)
	}
	first := op.Get("/operator/audit?object=app:"+id).Wants(t, 200, "app.changed")
	if !first.Has("by "+posterntest.Dev) || !first.Has(posterntest.Standard.Name+" app:"+id) {
		t.Errorf("the log does not say who and what by name: %s", first.Text())
	}
	if n := strings.Count(first.Body, "<li>"); n != 50 {
		t.Errorf("the first page has %d records", n)
	}
	older := regexp.MustCompile(`/operator/audit\?before=[^"]*`).FindString(first.Body)
	second := op.Get(strings.ReplaceAll(older, "&amp;", "&")).Wants(t, 200, "app.created")
	if n := strings.Count(second.Body, "<li>"); n != 11 || second.Has("Older") {
		t.Errorf("the second page has %d records: %s", n, second.Text())
	}
}

func TestOwnersAreMailedTheVerdict(t *testing.T) {
	box := postbox.New(t)
	s := posterntest.New(t, posterntest.Set("apps", "review"),
		posterntest.Set("mail", map[string]any{"smtp": "smtp://" + box.Addr, "from": "no-reply@acme.test"}))
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	id := registered(t, dev, "Night Sync")
	op.Press(op.Get("/operator/apps/"+id), "Reject", "reason", "Who are you?").Wants(t, 200, "Rejected")
	told := box.Wait(1)[0]
	body, err := io.ReadAll(quotedprintable.NewReader(told.Body))
	if err != nil {
		t.Fatal(err)
	}
	if told.To != posterntest.Dev || !strings.Contains(string(body), "Who are you?") || !strings.Contains(string(body), "    "+s.URL+"/portal/apps/"+id) {
		t.Errorf("%s was told %s", told.To, body)
	}
	op.Press(op.Get("/operator/apps/"+id), "Approve").Wants(t, 200, "Approved")
	if got := box.Wait(2)[1].Header.Get("Subject"); got != "Night Sync was approved" {
		t.Errorf("the subject is %q", got)
	}
}

func TestACompanyThatRegisteredItselfIsApprovedOrNot(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("sign_in", map[string]any{"partners": "approve"}))
	op := s.Console(posterntest.Operator)
	register := func(company, email string) *posterntest.Browser {
		t.Helper()
		b := s.Browser()
		b.Press(b.Get("/portal/register"), "Register", "company", company, "name", "Nia", "email", email)
		b.Press(b.Get(s.Waiting(email)), "Register", "name", "Nia", "new_password", "a sentence of words", "new_password_again", "a sentence of words")
		return b
	}
	good, bad := register("Good Inc", "nia@good.test"), register("<b>Bad</b> Inc", "mal@bad.test")
	page := op.Get("/operator").Wants(t, 200, "Good Inc", "nia@good.test", "<b>Bad</b> Inc")
	link := func(name string) string {
		t.Helper()
		for _, path := range regexp.MustCompile(`/operator/partners/par_[A-Za-z0-9]+`).FindAllString(page.Body, -1) {
			if op.Get(path).Has(name) {
				return path
			}
		}
		t.Fatalf("no way to %s", name)
		return ""
	}
	if strings.Contains(good.Get("/portal").Body, "apps/new") {
		t.Error("a company that waits may register apps")
	}
	one, other := link("Good Inc"), link("Bad")
	op.Press(op.Get(one), "Approve").Wants(t, 200, "Approved")
	op.Press(op.Get(other), "Reject", "reason", " ").Wants(t, 200, "Say why")
	op.Press(op.Get(other), "Reject", "reason", "We do not know you.").Wants(t, 200, "You said no to this company", "We do not know you.")
	if registered(t, good, "First App") == "" {
		t.Error("an approved company has no app")
	}
	bad.Get("/portal").Wants(t, 200, "We do not know you.")
	op.Get("/operator").Wants(t, 200, "Nothing waits")
}

func TestPA16_WhatEndsTokensNeedsAFreshSignIn(t *testing.T) {
	s := posterntest.New(t)
	op := s.Console(posterntest.Operator)
	app := "/operator/apps/" + posterntest.Standard.ID
	partner := regexp.MustCompile(`/operator/partners/par_[A-Za-z0-9]+`).FindString(op.Get(app).Body)
	token := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token")
	for _, path := range []string{app, partner} {
		form := op.Get(path + "/off")
		s.Clock.Advance(15 * time.Minute)
		asked := op.Press(form, "Switch off").Wants(t, 200, "Your password, once more")
		if !s.Alive(token) {
			t.Fatalf("an old sign-in switched %s off", path)
		}
		op.SignIn(asked, posterntest.Operator, posterntest.Password).Wants(t, 200, "Switch on")
		if s.Alive(token) {
			t.Errorf("after the password %s is not off", path)
		}
		op.Press(op.Get(path), "Switch on").Wants(t, 200)
	}
	s.Clock.Advance(15 * time.Minute)
	invite := op.Press(op.Get("/operator/partners"), "Invite", "company", "New Inc", "email", "a@new.test")
	invite.Wants(t, 200, "Your password, once more")
	if op.Get("/operator/partners").Has("New Inc") {
		t.Error("an old sign-in invited")
	}
}

// Where no mail is sent, whom an owner invites gets the link from the operator.
func TestTheOperatorHandsOverTheLinkOfAnOwnersInvitation(t *testing.T) {
	s := posterntest.New(t)
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	partner := regexp.MustCompile(`par_[A-Za-z0-9]+`).FindString(dev.Get("/portal/team").Body)
	dev.Press(dev.Get("/portal/team/"+partner+"/invite"), "Invite", "email", "nia@partner.test", "role", "viewer").Wants(t, 200, "nia@partner.test", "have its link")
	page := op.Press(op.Get("/operator/partners/"+partner), "Make a link for nia@partner.test").Wants(t, 200, "send this link to them yourself")
	link := regexp.MustCompile(`/portal/invite/[A-Za-z0-9_-]+`).FindString(page.Body)
	nia := s.Browser()
	nia.Press(nia.Get(link).Wants(t, 200, "You will be a viewer"), "Join the team", "name", "Nia", "new_password", "a sentence of words", "new_password_again", "a sentence of words").
		Wants(t, 200, "Partner Inc")
}
