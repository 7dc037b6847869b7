package dev

import (
	"net/http/cookiejar"

	"postern.dev/postern/internal/wire"
)

// newBrowser opens a browser without any cookie, which goes wherever it is led:
// all servers of the demo are on this machine.
func newBrowser(hears func(*exchange)) (*wire.Browser, error) {
	jar, err := cookiejar.New(nil)
	return &wire.Browser{Client: here(jar), Wire: hears}, err
}
