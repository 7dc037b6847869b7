// Package sandbox holds the rules about partners' sandboxes: throw-away accounts
// with people of their own, in which a partner tries what its program does when
// a token expires, an approver is switched off or a webhook fails. Only the
// partner's own apps can be connected to them (postern.Account.OpenTo), and the
// token check says that a token is of one.
package sandbox

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"postern.dev/postern"
)

// Rules are the rules about sandboxes. All methods may be called at once.
type Rules struct {
	Store  Store
	Sealer postern.Sealer
	// HashPassword makes the hash to store (identity.Rules).
	HashPassword func(postern.Secret) (string, error)
	Now          func() time.Time
	Random       io.Reader
}

// Store is what the rules ask of the rows. Each method is one transaction, or
// one read. Whatever is not of the partner's sandbox is NotFound.
type Store interface {
	// SandboxAccounts are a partner's, oldest first, each with its people.
	SandboxAccounts(ctx context.Context, partnerID string) ([]Account, error)
	// MakeSandbox keeps an account with its people, unless the partner has as many
	// as it may: then it is a Conflict; or has made as many in a day: RateLimited.
	MakeSandbox(ctx context.Context, a *Account, most, aDay int, act Act) error
	// RemoveSandbox removes an account and its people, and ends its connections,
	// each with its event.
	RemoveSandbox(ctx context.Context, partnerID, accountID string, act Act) error
	// SwitchPerson switches a person off, who is signed out everywhere, or on.
	SwitchPerson(ctx context.Context, partnerID, userID string, off bool, act Act) error
	// SandboxConnections are the live connections of an app to its partner's
	// sandbox accounts, latest first.
	SandboxConnections(ctx context.Context, partnerID, appID string) ([]Connection, error)
	// ExpireTokens makes the live access tokens of a connection expire now.
	ExpireTokens(ctx context.Context, partnerID, connectionID string, act Act) error
	// EndSandboxConnection ends a connection as the account's people would.
	EndSandboxConnection(ctx context.Context, partnerID, connectionID string, act Act) error
	// MoveClock makes an account's codes, tokens and connections older.
	MoveClock(ctx context.Context, partnerID, accountID string, by time.Duration, act Act) error
	// FailWebhooks lets the next attempts to tell an app of its sandbox fail.
	FailWebhooks(ctx context.Context, appID string, attempts int, act Act) error
	// WebhooksToFail is how many are still to fail.
	WebhooksToFail(ctx context.Context, appID string) (int, error)
}

// By is who does something; for the audit record.
type By struct{ Actor, Address string }

// Act is who did something, and when.
type Act struct {
	By
	Now time.Time
}

// Account is a sandbox account. SandboxOf names the partner.
type Account struct {
	postern.Account
	People []Person
}

// Person is somebody of a sandbox account.
type Person struct {
	postern.User
	Role         string
	PasswordHash string // of a new one
	Sealed       []byte // the password, sealed
	Password     postern.Secret
}

// Connection is a live connection of an app to a sandbox account.
type Connection struct {
	postern.Connection
	Account  string // its name
	Approver postern.User
	// AccessUntil is when the longest-lived access token expires; zero: there is
	// none. Never: it has no end.
	AccessUntil time.Time
	Never       bool
}

const (
	mostAccounts = 5
	mostADay     = 50 // with those that were removed, which keep their rows
	mostFailures = 20
	// farthest is how far a clock may be moved at once.
	farthest = 400 * 24 * time.Hour
)

// passwordForm is easy to type, and has 95 random bits.
var passwordForm = postern.Form{Alphabet: postern.Base62, Length: 16}

// Accounts are a partner's sandbox accounts, with the passwords of their people.
func (r *Rules) Accounts(ctx context.Context, partnerID string) ([]Account, error) {
	list, err := r.Store.SandboxAccounts(ctx, partnerID)
	if err != nil {
		return nil, err
	}
	for i := range list {
		for j := range list[i].People {
			p := &list[i].People[j]
			clear, err := r.Sealer.Open("sandbox_passwords", p.ID, "sealed", p.Sealed)
			if err != nil {
				return nil, postern.Wrap(postern.ServerError, fmt.Errorf("sandbox password: %w", err))
			}
			p.Password = postern.Secret(clear)
		}
	}
	return list, nil
}

// Make makes an account with an admin and a member. A partner has at most five:
// one more is a Conflict.
func (r *Rules) Make(ctx context.Context, by By, partner postern.Partner) (*Account, error) {
	// A look first: who asks in vain gets no work with passwords out of us.
	have, err := r.Store.SandboxAccounts(ctx, partner.ID)
	if err != nil {
		return nil, err
	}
	if len(have) >= mostAccounts {
		return nil, Full(len(have))
	}
	a, err := r.draft(partner)
	if err != nil {
		return nil, err
	}
	if err := r.Store.MakeSandbox(ctx, a, mostAccounts, mostADay, r.act(by)); err != nil {
		return nil, err
	}
	return a, nil
}

// Full is the Conflict that a partner has as many accounts as it may.
func Full(accounts int) error {
	return postern.Errorf(postern.Conflict, "There are %d sandbox accounts, which is as many as can be. Remove one first.", accounts)
}

// Often is said where a partner has made as many accounts in a day as it may.
func Often() error {
	e := postern.Errorf(postern.RateLimited, "Very many sandbox accounts were made today. Try again tomorrow.")
	e.RetryAfter = 24 * time.Hour
	return e
}

func (r *Rules) act(by By) Act { return Act{by, r.Now()} }

// draft is an account that is in no rows yet.
func (r *Rules) draft(partner postern.Partner) (*Account, error) {
	id, err := postern.NewID(r.Random, "acc_sandbox_")
	if err != nil {
		return nil, err
	}
	number, err := postern.NewNumber(r.Random)
	if err != nil {
		return nil, err
	}
	mark := strings.ToLower(id[len(id)-6:]) // tells two sandboxes apart
	a := &Account{Account: postern.Account{
		ID: id, Number: number, Handle: "sandbox-" + mark, Name: "Sandbox " + mark, SandboxOf: partner.ID, Attributes: map[string]string{},
	}}
	for _, who := range []struct{ name, role string }{{"Ada", "admin"}, {"Ben", "member"}} {
		p, err := r.person(who.name, who.role, mark)
		if err != nil {
			return nil, err
		}
		a.People = append(a.People, *p)
	}
	return a, nil
}

// person has an address under a name that no mail reaches (RFC 2606 §2).
func (r *Rules) person(name, role, mark string) (*Person, error) {
	id, err := postern.NewID(r.Random, "usr_sandbox_")
	if err != nil {
		return nil, err
	}
	number, err := postern.NewNumber(r.Random)
	if err != nil {
		return nil, err
	}
	password, err := passwordForm.Mint(r.Random)
	if err != nil {
		return nil, err
	}
	nick := strings.ToLower(name) + "-" + mark + strings.ToLower(id[len(id)-4:])
	p := &Person{User: postern.User{
		ID: id, Number: number, Name: name + " Sandbox", Email: strings.ToLower(name) + "@" + mark + ".sandbox.invalid",
		Nickname: nick, Attributes: map[string]string{},
	}, Role: role, Password: password}
	if p.PasswordHash, err = r.HashPassword(password); err != nil {
		return nil, err
	}
	p.Sealed, err = r.Sealer.Seal("sandbox_passwords", id, "sealed", []byte(password))
	return p, err
}

// Remove removes a sandbox account; its connections end with account_removed.
func (r *Rules) Remove(ctx context.Context, by By, partnerID, accountID string) error {
	return r.Store.RemoveSandbox(ctx, partnerID, accountID, r.act(by))
}

// SwitchPerson switches somebody of a sandbox off, or on again.
func (r *Rules) SwitchPerson(ctx context.Context, by By, partnerID, userID string, off bool) error {
	return r.Store.SwitchPerson(ctx, partnerID, userID, off, r.act(by))
}

// Connections are the live connections of an app to its partner's sandbox.
func (r *Rules) Connections(ctx context.Context, app *postern.App) ([]Connection, error) {
	return r.Store.SandboxConnections(ctx, app.Partner.ID, app.ID)
}

// ExpireTokens makes the access tokens of a connection expire now.
func (r *Rules) ExpireTokens(ctx context.Context, by By, partnerID, connectionID string) error {
	return r.Store.ExpireTokens(ctx, partnerID, connectionID, r.act(by))
}

// End ends a connection as if the account's people had disconnected the app.
func (r *Rules) End(ctx context.Context, by By, partnerID, connectionID string) error {
	return r.Store.EndSandboxConnection(ctx, partnerID, connectionID, r.act(by))
}

// MoveClock lets time pass for one account: its codes, tokens and connections
// become older by this much. More than 400 days, or none, is an InvalidRequest.
func (r *Rules) MoveClock(ctx context.Context, by By, partnerID, accountID string, on time.Duration) error {
	if on <= 0 || on > farthest {
		return postern.Errorf(postern.InvalidRequest, "The clock goes forward only, by at most 400 days at once.")
	}
	return r.Store.MoveClock(ctx, partnerID, accountID, on, r.act(by))
}

// FailWebhooks lets the next attempts (1 to 20; 0: none any more) to tell an app
// of its sandbox fail, without a request to its endpoint.
func (r *Rules) FailWebhooks(ctx context.Context, by By, appID string, attempts int) error {
	if attempts < 0 || attempts > mostFailures {
		return postern.Errorf(postern.InvalidRequest, "Choose 0 to %d attempts.", mostFailures)
	}
	return r.Store.FailWebhooks(ctx, appID, attempts, r.act(by))
}

// WebhooksToFail is how many attempts are still to fail.
func (r *Rules) WebhooksToFail(ctx context.Context, appID string) (int, error) {
	return r.Store.WebhooksToFail(ctx, appID)
}
