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
		"staff-signin":  &StaffSignInPage{Prefix: "/portal", Token: "t", To: "/portal/team", Email: "dev@partner.test", Register: true, Problem: Say("No.")},
		"staff-signout": &StaffSignOutPage{Prefix: "/portal", Token: "t", Staff: &dev},
		"staff-you":     &StaffYouPage{StaffFrame: frame("you"), Token: "t", Since: day},
		"staff-reset":   &StaffResetPage{Token: "t", Link: "/portal/reset/x", Email: "dev@partner.test"},
		"portal-apps": &PartnerAppsPage{StaffFrame: frame("apps"), Partners: []PartnerApps{
			{Member: postern.Member{Partner: inc, Staff: dev, Role: postern.Owner, Since: day}, Apps: []postern.App{app}},
		}},
	}
}
