package ui

import "postern.dev/postern"

// staffSamples are the pages of the portal and of the console, by name.
func staffSamples() map[string]Page {
	dev := postern.Staff{ID: "stf_1", Realm: postern.PartnerRealm, Email: "dev@partner.test", Name: "Devi Partner"}
	inc := postern.Partner{ID: "par_1", Name: "Partner Inc"}
	app := postern.App{ID: "partner-x", Name: "Partner X", Partner: inc}
	frame := func(section string) StaffFrame {
		return StaffFrame{Prefix: "/portal", Staff: dev, SignOutToken: "t", Section: section}
	}
	return map[string]Page{
		"staff-forgot":    &ForgotPage{Prefix: "/portal", Token: "t"},
		"portal-register": &RegisterPage{Token: "t", Form: NewForm(map[string][]string{"company": {"Partner Inc"}})},
		"staff-sent":      &SentPage{Heading: Say("One more step"), Says: []Text{Say("A link is on its way to %s. Open it to go on: it works once, and for seven days.", "a@b.test")}, Back: "/portal/login"},
		"portal-join": &JoinPage{Token: "t", Link: "/portal/invite/x", Invitation: postern.Invitation{
			Email: "new@partner.test", Partner: inc, Role: postern.Developer, By: dev}, Form: NewForm(nil)},
		"portal-team": &TeamPage{StaffFrame: frame("team"), Teams: []Team{{
			Member:  postern.Member{Partner: inc, Staff: dev, Role: postern.Owner, Since: day},
			Members: []postern.Member{{Partner: inc, Staff: dev, Role: postern.Owner, Since: day}},
			Pending: []postern.Invitation{{ID: "lnk_1", Email: "new@partner.test", Partner: inc, Role: postern.Viewer, Expires: day}},
		}}},
		"portal-invite": &InvitePage{StaffFrame: frame("team"), Partner: inc, Token: "t", Form: NewForm(nil)},
		"portal-member": &MemberPage{StaffFrame: frame("team"), Partner: inc, Token: "t",
			Member: postern.Member{Partner: inc, Staff: dev, Role: postern.Viewer, Since: day}},
		"staff-signin":      &StaffSignInPage{Prefix: "/portal", Action: "/portal/login", Token: "t", To: "/portal/team", Email: "dev@partner.test", Register: true, Problem: Say("The e-mail or the password is not right. Please try again.")},
		"staff-signin-held": &StaffSignInPage{Prefix: "/portal", Action: "/portal/team", Token: "t", Held: "eA"},
		"staff-again":       &StaffAgainPage{StaffFrame: frame(""), Action: "/portal/team", Token: "t", Held: "eA"},
		"staff-signout":     &StaffSignOutPage{Prefix: "/portal", Token: "t", Staff: &dev},
		"staff-you":         &StaffYouPage{StaffFrame: frame("you"), Token: "t", Since: day},
		"staff-reset":       &StaffResetPage{Token: "t", Link: "/portal/reset/x", Email: "dev@partner.test"},
		"portal-apps": &PartnerAppsPage{StaffFrame: frame("apps"), Partners: []PartnerApps{
			{Member: postern.Member{Partner: inc, Staff: dev, Role: postern.Owner, Since: day}, Apps: []postern.App{app}},
		}},
	}
}
