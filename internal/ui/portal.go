package ui

import "postern.dev/postern"

// AppFrame is what the pages of one app have in common: {{template "app-nav" .}}
// after the heading.
type AppFrame struct {
	StaffFrame
	App  *postern.App
	Role postern.Role // the reader's, for the app's partner
	// Tab is the page's own path element under /portal/apps/{app}; "" is the
	// overview.
	Tab string
}

// Tabs are the pages of an app, in the order of the navigation.
func (AppFrame) Tabs() []Tab {
	return []Tab{
		{"", Say("Overview")}, {"settings", Say("Settings")}, {"keys", Say("Keys")}, {"start", Say("Quick start")}, {"try", Say("Try it")},
		{"log", Say("Request log")}, {"connections", Say("Connections")}, {"webhooks", Say("Webhooks")}, {"sandbox", Say("Sandbox")},
	}
}

// Tab is one page of an app.
type Tab struct {
	Path string
	Text Text
}

// PartnerAppsPage is the portal's first page.
type PartnerAppsPage struct {
	StaffFrame
	Partners []PartnerApps
}

// PartnerApps are the apps of one partner.
type PartnerApps struct {
	postern.Member
	Apps []postern.App
}

func (*PartnerAppsPage) Name() string { return "portal-apps" }
func (*PartnerAppsPage) Title() Text  { return Say("Apps") }
