package server

import (
	"net/http"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/admin"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/portal"
	"postern.dev/postern/internal/ui"
)

// staffDoors are the portal of partners and the console of operators. A session
// of one opens nothing of the other, and none of end users' opens either.
type staffDoors struct {
	portal  http.Handler
	console http.Handler
}

// of is the door that a path belongs to; nil: neither.
func (d *staffDoors) of(path string) http.Handler {
	switch {
	case isUnder(path, portal.Prefix):
		return d.portal
	case isUnder(path, admin.ConsolePrefix):
		return d.console
	}
	return nil
}

func isUnder(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

func (s *reading) staffDoors(pages *ui.Pages) (*staffDoors, error) {
	partners, err := s.entry(pages, portal.Prefix, postern.PartnerRealm)
	if err != nil {
		return nil, err
	}
	operators, err := s.entry(pages, admin.ConsolePrefix, postern.OperatorRealm)
	if err != nil {
		return nil, err
	}
	signUp := portal.SignUp(s.cfg.SignIn.Partners)
	partners.Registers = signUp == portal.Open || signUp == portal.Approved
	return &staffDoors{
		portal: portal.New(portal.Config{
			Entry: partners, PublicURL: s.cfg.PublicURL, Now: s.outside.Now, Sealer: sealer{s.vault}, Rows: s.DB,
			People: s.Identity, Registry: s.Registry, Requests: s.Requests, Ender: s.OAuth, Hooks: s.Webhooks,
			Sandboxes: s.Sandbox, Dialects: s.Dialects, SignUp: signUp, Kept: s.Requests.Bounds,
			Public: func() http.Handler { return s.public }, Check: s.check(),
			PublicDocs: s.cfg.Portal.PublicDocs, Product: pages.Brand().Name, SampleCall: s.cfg.Portal.SampleCall,
			Calls: func(d *dialect.Dialect) []dialect.Call { return Calls(s.routes, d) },
		}),
		console: admin.NewConsole(admin.ConsoleConfig{
			Entry: operators, PublicURL: s.cfg.PublicURL, Now: s.outside.Now, Rules: s.Registry, People: s.Identity, Rows: s.DB,
		}),
	}, nil
}

// entry is the sign-in of a realm.
func (s *reading) entry(pages *ui.Pages, prefix string, realm postern.Realm) (*entry.Entry, error) {
	o := s.outside
	return entry.New(entry.Config{
		Prefix: prefix, Realm: realm, PublicURL: s.cfg.PublicURL, Pages: pages, People: s.Identity,
		Now: o.Now, Random: o.Random, Log: o.Log, Address: s.proxies().clientAddress, RequestID: requestID,
	})
}
