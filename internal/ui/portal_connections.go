package ui

import "postern.dev/postern"

// AppConnectionsPage lists an app's connections.
type AppConnectionsPage struct {
	AppFrame
	Lines []AppConnection
	Older string // the path of the next page; empty: there is none
	Only  string // the account that was asked for
}

func (*AppConnectionsPage) Name() string { return "portal-connections" }
func (*AppConnectionsPage) Title() Text  { return Say("Connections") }

// AppConnection is one, as the app's people see it.
type AppConnection struct {
	postern.Listing
	Refresh *LogLine // the last one that the log knows of; nil: none
}

// Person is whose it is, at user level.
func (c AppConnection) Person() string { return c.Maker.Nick() }
