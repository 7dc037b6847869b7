package posterntest

import (
	"context"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/server"
)

// Beside does what a command of the terminal does while the server runs.
func (s *Postern) Beside(do func(ctx context.Context, rooms *server.Rooms) error) {
	s.t.Helper()
	ctx := context.Background()
	rooms, err := server.Build(ctx, s.cfg, server.Outside{Now: s.Clock.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	defer rooms.Close()
	if err := do(ctx, rooms); err != nil {
		s.t.Fatal(err)
	}
}

// Invite makes an invitation to a partner, as `postern partner invite` does, and
// gives its path.
func (s *Postern) Invite(email, partner string, role postern.Role) (path string) {
	s.t.Helper()
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		p, _, err := rooms.Identity.InvitePartner(ctx, partner)
		if err != nil {
			return err
		}
		link, err := rooms.Identity.Invite(ctx, identity.Invite{Partner: *p, Email: email, Role: role, ByHand: true})
		if err == nil {
			path = identity.InvitePath + string(link.Secret)
		}
		return err
	})
	return path
}

// Waiting makes another link of what waits for an e-mail, as `postern partner
// link` does, and gives its path; "" where nothing waits.
func (s *Postern) Waiting(email string) (path string) {
	s.t.Helper()
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		secret, _, err := rooms.Identity.RenewLink(ctx, email)
		if postern.Is(err, postern.NotFound) {
			return nil
		}
		path = identity.InvitePath + string(secret)
		return err
	})
	return path
}

// Portal is a browser that is signed in at the portal.
func (s *Postern) Portal(email string) *Browser {
	s.t.Helper()
	return s.staff("/portal", email)
}

// Console is a browser that is signed in at the operators' console.
func (s *Postern) Console(email string) *Browser {
	s.t.Helper()
	return s.staff("/operator", email)
}

func (s *Postern) staff(prefix, email string) *Browser {
	s.t.Helper()
	b := NewBrowser(s.t, s.URL)
	page := b.SignIn(b.Get(prefix+"/login"), email, Password)
	if page.asksPassword() || !strings.HasPrefix(page.URL.Path, prefix) {
		s.t.Fatalf("%s did not get in at %s: %s", email, prefix, page.Text())
	}
	return b
}

// Wants fails the test unless the page has this status and says all of this.
func (p *Page) Wants(t testing.TB, status int, says ...string) *Page {
	t.Helper()
	if p.Status != status {
		t.Errorf("%s: %d, wanted %d: %s", p.URL, p.Status, status, p.Text())
	}
	for _, words := range says {
		if !strings.Contains(p.Text(), words) {
			t.Errorf("%s does not say %q: %s", p.URL, words, p.Text())
		}
	}
	return p
}
