package ui

import "postern.dev/postern"

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
