package registry_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// connected makes two accounts with ada in both and bob in one, the apps whole
// (account level) and own (user level), and a live connection for each way.
func connected(w *world) {
	w.Helper()
	w.apply(`
accounts:
- {id: acme, name: Acme, users: [{id: ada, email: ada@x.test, nickname: ada}, {id: bob, email: bob@x.test}]}
- {id: globex, name: Globex, users: [{email: ada@x.test}]}
partners:
- {id: p, name: P, members: [{email: dev@p.test}], apps: [{name: Whole, client_id: whole, level: account, redirect_urls: [https://p.test/cb]}]}
- {id: q, name: Q, apps: [{name: Own, client_id: own, redirect_urls: [https://q.test/cb]}]}
`)
	now := w.clock.Now().UnixMilli()
	for i, c := range [][4]string{{"whole-acme", "whole", "acme", ""}, {"own-ada-acme", "own", "acme", "ada"}, {"own-bob-acme", "own", "acme", "bob"}, {"own-ada-globex", "own", "globex", "ada"}} {
		w.run(`INSERT INTO connections (id, number, app_id, account_id, user_id, created_at, created_by, sequence) VALUES ($1, $2, $3, $4, $5, $6, 'ada', 1)`,
			c[0], i+1, c[1], c[2], c[3], now)
		user := c[3]
		if user == "" {
			user = "ada"
		}
		w.run(`INSERT INTO codes (hash, dialect, app_id, account_id, user_id, level, redirect_uri, sent_uri, created_at, expires_at, live_until)
			VALUES ($1, 'open', $2, $3, $4, 'user', 'https://p.test/cb', TRUE, $5, $6, $6)`, []byte(c[0]), c[1], c[2], user, now, now+300000)
		w.run(`INSERT INTO consents (account_id, app_id, user_id, scopes, given_at) VALUES ($1, $2, $3, '', $4)`, c[2], c[1], user, now)
	}
	w.run(`INSERT INTO tickets (hash, browser, app_id, user_id, request, created_at, expires_at) VALUES ($1, $1, 'own', 'bob', '{}', $2, $3)`, []byte("t"), now, now+300000)
	w.run(`INSERT INTO sessions (hash, user_id, signed_in_at, last_seen_at, expires_at) VALUES ($1, 'bob', $2, $2, $3)`, []byte("s"), now, now+300000)
}

// ended are the connections that ended with the reasons of their events, the
// codes that became void, and the consents that are left.
func (w *world) ended() string {
	w.Helper()
	all := append(w.rows("SELECT 'event', connection_id, type, sequence, reason FROM events ORDER BY connection_id"),
		w.rows("SELECT 'ended', id, end_reason FROM connections WHERE ended_at <> 0 ORDER BY id")...)
	void := w.rows("SELECT count(*) FROM codes WHERE outcome = 'void' AND spent_at <> 0")
	consents := w.rows("SELECT count(*) FROM consents")
	return strings.Join(append(all, "void "+void[0], "consents "+consents[0]), "\n")
}

func TestARemovedAppEndsItsConnectionsAndKeepsItsID(t *testing.T) { // I-20, PA-19
	everywhere(t, func(w *world) {
		connected(w)
		w.did("partners: [{name: Q, apps: [{client_id: own, remove: true}]}]", "unchanged partner Q", "removed app Own")
		w.equal("what ended", w.ended(), `event|own-ada-acme|connection.deleted|2|app_removed
event|own-ada-globex|connection.deleted|2|app_removed
event|own-bob-acme|connection.deleted|2|app_removed
ended|own-ada-acme|app_removed
ended|own-ada-globex|app_removed
ended|own-bob-acme|app_removed
void 3
consents 1`)
		w.equal("changes", strings.Join(w.rows("SELECT kind, key FROM changes WHERE kind = 'app'"), " "), "app|own")
		w.equal("open tickets", w.one("SELECT count(*) FROM tickets WHERE answered_at = 0"), "0")
		w.equal("secrets", strings.Join(w.rows("SELECT app_id FROM app_secrets"), " "), "whole")
		before := w.dump()
		w.did("partners: [{name: Q, apps: [{client_id: own, remove: true}]}]", "unchanged partner Q", "unchanged app own")
		w.equal("the rows", w.dump(), before)
		w.refused("partners: [{name: Q, apps: [{client_id: own, name: New}]}]",
			"a.yaml:1:41: partners[0].apps[0].client_id: was removed, and an id is never given again; choose another")
		w.did("partners: [{name: Q, apps: [{client_id: own2, name: Own}]}]", "unchanged partner Q", "created app Own")
	})
}

func TestARemovedPartnerTakesItsAppsAlong(t *testing.T) {
	everywhere(t, func(w *world) {
		connected(w)
		w.did("partners: [{id: p, remove: true, apps: [{client_id: whole, name: Anew}]}]", "removed app Whole", "removed partner P")
		w.equal("what ended", w.ended(), "event|whole-acme|connection.deleted|2|app_removed\nended|whole-acme|app_removed\nvoid 1\nconsents 3")
		w.equal("members", w.one("SELECT count(*) FROM staff"), "0")
	})
}

func TestARemovedAccountEndsItsConnections(t *testing.T) {
	everywhere(t, func(w *world) {
		connected(w)
		w.did("accounts: [{id: acme, remove: true, users: [{email: new@x.test}]}]", "removed account Acme", "unchanged user new@x.test")
		w.equal("what ended", w.ended(), `event|own-ada-acme|connection.deleted|2|account_removed
event|own-bob-acme|connection.deleted|2|account_removed
event|whole-acme|connection.deleted|2|account_removed
ended|own-ada-acme|account_removed
ended|own-bob-acme|account_removed
ended|whole-acme|account_removed
void 3
consents 1`)
		w.equal("memberships", strings.Join(w.rows("SELECT account_id, user_id FROM memberships"), " "), "globex|ada")
		w.refused("accounts: [{id: acme, name: Acme}]", "a.yaml:1:17: accounts[0].id: was removed, and an id is never given again; choose another")
		// Its people stay who they are, nicknames and all.
		w.did("accounts: [{id: acme2, name: Acme, users: [{email: bob@x.test, nickname: bob}]}]", "created account Acme", "changed user bob@x.test: joined acme2")
	})
}

func TestAUserWhoLeavesAnAccountLosesWhatWasTheirsThere(t *testing.T) {
	everywhere(t, func(w *world) {
		connected(w)
		w.did("accounts: [{id: acme, users: [{email: ada@x.test, remove: true}]}]", "unchanged account Acme", "changed user ada@x.test: left acme")
		w.equal("what ended", w.ended(), "event|own-ada-acme|connection.deleted|2|user_removed\nended|own-ada-acme|user_removed\nvoid 2\nconsents 2")
		w.equal("ada's memberships", strings.Join(w.rows("SELECT account_id FROM memberships WHERE user_id = 'ada'"), " "), "globex")
		before := w.dump()
		w.did("accounts: [{id: acme, users: [{email: ada@x.test, remove: true}]}]", "unchanged account Acme", "unchanged user ada@x.test")
		w.equal("the rows", w.dump(), before)
	})
}

func TestAUserWhoLeavesTheLastAccountIsRemovedAndTheNicknameStaysTaken(t *testing.T) { // xeebo.md §3
	everywhere(t, func(w *world) {
		connected(w)
		w.did("accounts: [{id: acme, users: [{email: bob@x.test, remove: true}]}]", "unchanged account Acme", "removed user bob@x.test: left acme")
		w.equal("what ended", w.ended(), "event|own-bob-acme|connection.deleted|2|user_removed\nended|own-bob-acme|user_removed\nvoid 1\nconsents 3")
		w.equal("what is left of bob", w.one("SELECT id, email, nickname, password_hash FROM users WHERE id = 'bob' AND removed_at <> 0"), "bob||bob|")
		w.equal("bob's sessions", w.one("SELECT count(*) FROM sessions"), "0")
		w.equal("bob's tickets", w.one("SELECT count(*) FROM tickets WHERE answered_at = 0"), "0")
		w.equal("the event names bob", w.one("SELECT user_nickname FROM events"), "bob")
		w.did("accounts: [{id: acme, users: [{email: bob@x.test, remove: true}]}]", "unchanged account Acme", "unchanged user bob@x.test")
		w.refused("accounts: [{id: acme, users: [{email: bob@x.test, nickname: BOB}]}]",
			"a.yaml:1:61: accounts[0].users[0].nickname: is or was another user's, and partners know people by it; choose another")
		w.refused("accounts: [{id: acme, users: [{email: rob@x.test, id: bob}]}]",
			"a.yaml:1:55: accounts[0].users[0].id: is or was another user's, and an id is never given again; choose another")
		w.did("accounts: [{id: acme, users: [{email: bob@x.test}]}]", "unchanged account Acme", "created user bob@x.test")
		w.equal("the new bob", w.one("SELECT nickname FROM users WHERE email = 'bob@x.test'"), "bob2")
	})
}

func TestMembersAPIsOperatorsScopesAndEventsAreRemoved(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(everything)
		w.refused("scopes: [{name: candidates.read, remove: true}]",
			"a.yaml:1:42: scopes[0].remove: the app partner-x may ask for this scope; take it out of the app's scopes first",
			"a.yaml:1:42: scopes[0].remove: the event candidate.updated needs this scope; change the event first")
		text := `
scopes: [{name: candidates.read, remove: true}]
events: [{type: candidate.updated, remove: true}]
partners: [{name: Partner Inc, members: [{email: dev@partner.test, remove: true}], apps: [{client_id: partner-x, scopes: [candidates.write], default_scopes: []}]}]
apis: [{id: api-main, remove: true}]
operators: [{email: op@saas.test, remove: true}]`
		w.did(text, "removed scope candidates.read", "removed event candidate.updated", "unchanged partner Partner Inc",
			"removed member dev@partner.test: left "+w.one("SELECT id FROM partners"), "changed app Partner X: scopes, default_scopes", "removed api main", "removed operator op@saas.test")
		w.equal("what is left", strings.Join(w.rows("SELECT name FROM scopes UNION ALL SELECT type FROM event_types UNION ALL SELECT id FROM staff UNION ALL SELECT staff_id FROM partner_members UNION ALL SELECT id FROM apis"), " "), "candidates.write")
		w.did(text, "unchanged scope candidates.read", "unchanged event candidate.updated", "unchanged partner Partner Inc",
			"unchanged member dev@partner.test", "unchanged app Partner X", "unchanged api api-main", "unchanged operator op@saas.test")
	})
}

func TestSwitchingOffAndOnIsAnnounced(t *testing.T) {
	everywhere(t, func(w *world) {
		connected(w)
		off := `
accounts: [{id: acme, disabled: true, users: [{email: bob@x.test, disabled: true}]}]
partners: [{id: q, disabled: true}, {id: p, apps: [{client_id: whole, disabled: true}]}]`
		w.did(off, "changed account Acme: disabled", "changed user bob@x.test: disabled", "changed partner Q: disabled", "unchanged partner P", "changed app Whole: disabled")
		w.equal("changes", strings.Join(w.rows("SELECT kind, key FROM changes ORDER BY kind, key"), " "), "account|acme app|own app|whole user|bob")
		w.equal("bob's sessions", w.one("SELECT count(*) FROM sessions"), "0")
		w.did(strings.ReplaceAll(off, "true", "false"), "changed account Acme: disabled", "changed user bob@x.test: disabled", "changed partner Q: disabled", "unchanged partner P", "changed app Whole: disabled")
		w.equal("events", w.one("SELECT count(*) FROM events"), "0")
	})
}

func TestAppsStayWithTheirPartner(t *testing.T) { // I-42
	everywhere(t, func(w *world) {
		connected(w)
		w.refused("partners: [{id: p, apps: [{client_id: own}]}]", "a.yaml:1:39: partners[0].apps[0].client_id: is an app of another partner, and apps do not change hands")
		w.refused("apis: [{id: own}]", "a.yaml:1:13: apis[0].id: is the client_id of an app; an API and an app cannot share one")
		w.refused("accounts: [{id: acme, users: [{email: ada@x.test, id: ada2}]}]", "a.yaml:1:55: accounts[0].users[0].id: the user ada@x.test has the id ada already, and ids stay as they are")
		w.apply("accounts: [{id: a1, name: Twin}, {id: a2, name: Twin}]")
		w.refused("accounts: [{name: Twin}]", "a.yaml:1:19: accounts[0].name: several are called \"Twin\"; say which one by its id")
		w.refused("accounts: [{id: acme, users: [{email: ada@x.test, nickname: BOB}]}]", "a.yaml:1:61: accounts[0].users[0].nickname: is or was another user's, and partners know people by it; choose another")
	})
}

func TestExchangesBesideARemovalLeaveNothingAlive(t *testing.T) { // I-03, I-08
	everywhere(t, func(w *world) {
		w.apply("partners: [{name: P, apps: [{name: X, client_id: x, client_secret: " + one + ", redirect_urls: [https://p.test/cb]}]}]")
		now := w.clock.Now().UnixMilli()
		var codes []postern.Secret
		for i := range 12 {
			account := fmt.Sprintf("acc%d", i)
			w.apply("accounts: [{id: " + account + ", name: " + account + ", users: [{id: u" + account + ", email: a@" + account + ".test}]}]")
			code, err := terms.Code.Form.Mint(rand.Reader)
			w.ok(err)
			hash := code.Hash()
			w.run(`INSERT INTO codes (hash, dialect, app_id, account_id, user_id, level, redirect_uri, sent_uri, created_at, expires_at, live_until)
				VALUES ($1, 'open', 'x', $2, $3, 'user', 'https://p.test/cb', TRUE, $4, $5, $5)`, hash[:], account, "u"+account, now, now+300000)
			codes = append(codes, code)
		}
		var all sync.WaitGroup
		for i, code := range codes {
			all.Go(func() {
				_, err := w.oauth.Redeem(w.ctx, &oauth.Redeem{Terms: terms, Code: code, RedirectURI: "https://p.test/cb", SentURI: true,
					Client: oauth.ClientAuth{ClientID: "x", Secret: one, Source: "here"}})
				if err != nil && !postern.Is(err, postern.InvalidGrant) && !postern.Is(err, postern.InvalidClient) {
					t.Errorf("redeem: %v", err)
				}
			})
			if i == len(codes)/2 {
				all.Go(func() { w.apply("partners: [{name: P, apps: [{client_id: x, remove: true}]}]") })
			}
		}
		all.Wait()
		w.equal("live connections", w.one("SELECT count(*) FROM connections WHERE ended_at = 0"), "0")
		w.equal("codes that can be redeemed", w.one("SELECT count(*) FROM codes WHERE spent_at = 0"), "0")
		made := w.one("SELECT count(*) FROM connections")
		w.equal("events of the end", w.one("SELECT count(*) FROM events WHERE type = 'connection.deleted'"), made)
	})
}

func TestTextThatNoDatabaseTakesIsAFinding(t *testing.T) {
	everywhere(t, func(w *world) {
		w.refused(`accounts: [{name: "a\u0000b", users: [{email: "a\u0000@x.test", nickname: "n\u0000"}]}]`,
			"a.yaml:1:19: accounts[0].name: holds the character U+0000, which a reader cannot see; remove it",
			"a.yaml:1:47: accounts[0].users[0].email: holds the character U+0000, which a reader cannot see; remove it",
			"a.yaml:1:75: accounts[0].users[0].nickname: holds the character U+0000, which a reader cannot see; remove it")
	})
}
