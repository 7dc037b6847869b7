package ui

import "postern.dev/postern"

// sandboxSamples are the pages in which partners try things, by name.
func sandboxSamples() map[string]Page {
	frame := StaffFrame{Prefix: "/portal", Staff: postern.Staff{ID: "stf_1", Email: "dev@partner.test", Name: "Devi Partner"}, SignOutToken: "t", Section: "apps"}
	app := postern.App{ID: "partner-x", Name: "Partner X", Partner: postern.Partner{ID: "par_1", Name: "Partner Inc"}}
	of := func(tab string) AppFrame {
		return AppFrame{StaffFrame: frame, App: &app, Role: postern.Owner, Tab: tab}
	}
	ada := postern.User{ID: "usr_1", Name: "Ada Sandbox", Email: "ada@k3x9.sandbox.invalid"}
	ben := postern.User{ID: "usr_2", Name: "Ben Sandbox", Email: "ben@k3x9.sandbox.invalid", Disabled: true}
	lacks := []Step{{Text: Say("Choose what the app may ask for"), Path: "/portal/apps/partner-x/settings#scopes"}}
	return map[string]Page{
		"staff-confirm": &ConfirmPage{StaffFrame: frame, Heading: Say("Remove %s?", "Sandbox"), Says: []Text{Say("It cannot be brought back. You can make another one.")},
			Action: "/portal/apps/partner-x", Token: "t", Hidden: map[string]string{"id": "x"}, Button: Say("Remove"), Back: "/portal"},
		"portal-try": &TryPage{AppFrame: of("try"), Token: "t", Action: "/portal/apps/partner-x/try"},
		"portal-try-steps": &TryPage{AppFrame: of("try"), Token: "t", Action: "/portal/apps/partner-x/try", Walk: "w", Person: "Ada Sandbox", Account: "Sandbox k3x9",
			Next: Say("Exchange the code for tokens"), AskSecret: true, Steps: []TryStep{
				{Title: Say("Send the person to the Connect link"), Exchanges: []TryExchange{{Request: "GET /oauth/authorize?client_id=x HTTP/1.1\nHost: x\n", Answer: "HTTP/1.1 302 Found\n", Status: 302}}},
				{Title: Say("Call the API"), Failed: "refused", Exchanges: []TryExchange{{Request: "GET /check HTTP/1.1\n", Answer: "HTTP/1.1 401 Unauthorized\n", Status: 401}}},
			}},
		"portal-try-over":   &TryPage{AppFrame: of("try"), Over: true, Steps: []TryStep{{Title: Say("Call the API")}}},
		"portal-docs":       &DocsPage{StaffFrame: frame, Dialects: []string{"standard", "xref"}},
		"portal-docs-found": &DocsPage{StaffFrame: StaffFrame{Prefix: "/portal"}, Query: "refresh", All: 60, Found: []Found{{SayTheirs("standard"), "5. Refresh", "/portal/docs/dialects/standard#standard-7", "… refresh_token …"}, {Say("error"), "refresh_token_raced", "/portal/docs/reference#refresh_token_raced", "…"}}},
		"portal-docs-none":  &DocsPage{StaffFrame: frame, Query: "<script>"},
		"portal-reference": &ReferencePage{StaffFrame: frame, Scopes: []postern.Scope{{Name: "candidates.read", Description: "See your candidates"}},
			Events: []ReferenceEvent{{Type: "candidate.updated", When: SayTheirs("One of the candidates changed."), Scope: "candidates.read"}},
			Errors: []ReferenceError{{"code_expired", SayFilled(expired), SayFilled(postern.Sentence{Text: "Redeem it at once, in the request that brings it."})}}},
		"portal-guide":         &GuidePage{StaffFrame: frame, Heading: "Connecting by standard", Sections: []GuideSection{{HTML: "<p>Hello</p>"}, {ID: "standard-1", Title: "Addresses", HTML: "<p>There</p>"}}},
		"portal-start":         &QuickStartPage{AppFrame: of("start"), Dialects: []string{"xref", "standard"}, Dialect: "xref", Sections: []GuideSection{{ID: "xref-1", Title: "Your app", HTML: "<p>x</p>"}}},
		"portal-try-bare":      &TryPage{AppFrame: of("try"), Token: "t", Action: "/portal/apps/partner-x/try", Lacks: lacks},
		"portal-start-bare":    &QuickStartPage{AppFrame: of("start"), Dialects: []string{"xref"}, Dialect: "xref", Sections: []GuideSection{{ID: "xref-1", Title: "Your app", HTML: "<p>x</p>"}}, Lacks: lacks},
		"portal-start-none":    &QuickStartPage{AppFrame: of("start")},
		"portal-sandbox-empty": &SandboxPage{AppFrame: of("sandbox"), Token: "t", SignIn: "https://login.test/login"},
		"portal-sandbox": &SandboxPage{AppFrame: of("sandbox"), Token: "t", SignIn: "https://login.test/login", ToFail: 3,
			Accounts: []SandboxAccount{{Account: postern.Account{ID: "acc_sandbox_1", Name: "Sandbox k3x9"}, People: []SandboxPerson{
				{User: ada, Role: "admin", Password: "Xk29shg38sLqoP2e"}, {User: ben, Role: "member", Password: "p"},
			}}},
			Connections: []SandboxConnection{
				{Connection: postern.Connection{ID: "con_1", Scopes: []string{"candidates.read", "notes.write"}, CreatedAt: day}, Account: "Sandbox k3x9", Approver: ada, AccessUntil: day},
				{Connection: postern.Connection{ID: "con_2", UserID: "usr_1", CreatedAt: day}, Account: "Sandbox k3x9", Approver: ada, Never: true},
			}},
	}
}
