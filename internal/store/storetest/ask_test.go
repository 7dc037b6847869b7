package storetest

import (
	"errors"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func TestNothingIsRedirectedBeforeAppAndAddressAreProved(t *testing.T) {
	cases := map[string]func(*world){}
	for name, c := range map[string]struct {
		spoil func(*oauth.Ask)
		want  postern.Kind
	}{
		"an unknown app":                     {func(a *oauth.Ask) { a.ClientID = "nobody" }, postern.UnknownClient},
		"an app that speaks another wire":    {func(a *oauth.Ask) { a.Terms = &oauth.Terms{Dialect: "foreign"} }, postern.UnknownClient},
		"a trailing slash":                   {func(a *oauth.Ask) { a.RedirectURI += "/" }, postern.RedirectMismatch},
		"another case":                       {func(a *oauth.Ask) { a.RedirectURI = "https://partner.test/CB" }, postern.RedirectMismatch},
		"a query":                            {func(a *oauth.Ask) { a.RedirectURI += "?x=1" }, postern.RedirectMismatch},
		"a fragment":                         {func(a *oauth.Ask) { a.RedirectURI += "#" }, postern.RedirectMismatch},
		"userinfo":                           {func(a *oauth.Ask) { a.RedirectURI = "https://partner.test@evil.test/cb" }, postern.RedirectMismatch},
		"a backslash":                        {func(a *oauth.Ask) { a.RedirectURI = `https://evil.test\@partner.test/cb` }, postern.RedirectMismatch},
		"the default port":                   {func(a *oauth.Ask) { a.RedirectURI = "https://partner.test:443/cb" }, postern.RedirectMismatch},
		"a loopback port":                    {func(a *oauth.Ask) { a.RedirectURI = "http://127.0.0.1:10/cb" }, postern.RedirectMismatch},
		"no redirect_uri and two registered": {func(a *oauth.Ask) { a.SentURI, a.URIOptional = false, true }, postern.RedirectMismatch},
		"too long a state":                   {func(a *oauth.Ask) { a.State = strings.Repeat("s", 2049) }, postern.InvalidRequest},
	} {
		cases[name] = func(w *world) {
			a := asking(plain, "own", "read")
			c.spoil(a)
			_, err := w.rules.Ask(w.ctx, a)
			w.wants(err, c.want)
			if _, ok := errors.AsType[*oauth.Refusal](err); ok {
				w.Fatal("it would be redirected")
			}
			if w.count(`SELECT count(*) FROM tickets`) != 0 {
				w.Fatal("a question was kept")
			}
		}
	}
	inOneWorld(t, cases)
}

func TestLaterRefusalsGoToTheProvedAddressWithTheState(t *testing.T) {
	cases := map[string]func(*world){}
	required := *plain
	required.PKCE, required.ScopesRequired = oauth.PKCERequired, true
	for name, c := range map[string]struct {
		spoil func(*oauth.Ask)
		want  postern.Kind
	}{
		"no response_type":           {func(a *oauth.Ask) { a.ResponseType = "" }, postern.InvalidRequest},
		"token":                      {func(a *oauth.Ask) { a.ResponseType = "token" }, postern.UnsupportedResponseType},
		"CODE":                       {func(a *oauth.Ask) { a.ResponseType = "CODE" }, postern.UnsupportedResponseType},
		"code and a space":           {func(a *oauth.Ask) { a.ResponseType = "code " }, postern.UnsupportedResponseType},
		"fragment":                   {func(a *oauth.Ask) { a.ResponseMode = "fragment" }, postern.InvalidRequest},
		"a request object":           {func(a *oauth.Ask) { a.Request = true }, postern.RequestNotSupported},
		"a request_uri":              {func(a *oauth.Ask) { a.RequestURI = true }, postern.RequestURINotSupported},
		"plain":                      {func(a *oauth.Ask) { a.Challenge, a.ChallengeMethod = strings.Repeat("c", 43), "plain" }, postern.InvalidRequest},
		"s256":                       {func(a *oauth.Ask) { a.Challenge, a.ChallengeMethod = strings.Repeat("c", 43), "s256" }, postern.InvalidRequest},
		"a challenge without method": {func(a *oauth.Ask) { a.Challenge = strings.Repeat("c", 43) }, postern.InvalidRequest},
		"a method without challenge": {func(a *oauth.Ask) { a.ChallengeMethod = "S256" }, postern.InvalidRequest},
		"a short challenge":          {func(a *oauth.Ask) { a.Challenge, a.ChallengeMethod = strings.Repeat("c", 42), "S256" }, postern.InvalidRequest},
		"a padded challenge":         {func(a *oauth.Ask) { a.Challenge, a.ChallengeMethod = strings.Repeat("c", 42)+"=", "S256" }, postern.InvalidRequest},
		"no challenge where needed":  {func(a *oauth.Ask) { a.Terms = &required }, postern.InvalidRequest},
		"no challenge, public":       {func(a *oauth.Ask) { a.ClientID = "open" }, postern.InvalidRequest},
		"a foreign scope":            {func(a *oauth.Ask) { a.Scopes = []string{"read", "admin"} }, postern.InvalidScope},
		"another case":               {func(a *oauth.Ask) { a.Scopes = []string{"READ"} }, postern.InvalidScope},
		"no list":                    {func(a *oauth.Ask) { a.ScopeProblem = true }, postern.InvalidRequest},
		"no scope and no default": {func(a *oauth.Ask) {
			a.Scopes, a.Terms, a.Challenge, a.ChallengeMethod = nil, &required, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256"
		}, postern.InvalidScope},
	} {
		cases[name] = func(w *world) {
			a := asking(plain, "own", "read")
			c.spoil(a)
			_, err := w.rules.Ask(w.ctx, a)
			w.wants(err, c.want)
			r, ok := errors.AsType[*oauth.Refusal](err)
			if !ok || r.To() != redirect || r.State != "S1" {
				w.Fatalf("got %#v", err)
			}
		}
	}
	inOneWorld(t, cases)
}

func TestAPublicAppsLoopbackPortMayDiffer(t *testing.T) {
	everywhere(t, func(w *world) {
		for uri, good := range map[string]bool{
			"http://127.0.0.1:9/cb":      true,
			"http://127.0.0.1:61234/cb":  true,
			"http://127.0.0.1/cb":        true,
			"http://127.0.0.1:61234/cb/": false,
			"http://127.0.0.1:61234/CB":  false,
			"http://localhost:61234/cb":  false,
			"http://127.0.0.1:x/cb":      false,
			"http://127.0.0.1:/cb":       false,
			"http://127.0.0.1:9@evil/cb": false,
			"https://127.0.0.1:61234/cb": false,
			"http://127.0.0.1.evil:9/cb": false,
			"http://127.0.0.1:9/cb?a=b":  false,
			"http://127.0.0.1:123456/cb": false,
			"http://127.0.0.1:0/cb":      false,
			"http://127.0.0.1:99999/cb":  false,
			"http://127.0.0.1:0080/cb":   false,
		} {
			a := asking(plain, "open", "read")
			a.RedirectURI = uri
			a.Challenge, a.ChallengeMethod = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256"
			if _, err := w.rules.Ask(w.ctx, a); (err == nil) != good {
				w.Errorf("%s: %v", uri, err)
			}
		}
	})
}

func TestAProbeKeepsNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		a := asking(plain, "own", "read")
		a.Probe = true
		_, err := w.rules.Ask(w.ctx, a)
		w.ok(err)
		if w.count(`SELECT count(*) FROM tickets`) != 0 {
			w.Fatal("a question was kept")
		}
	})
}

func TestWhatWasTakenAwayWhileAQuestionWaitedIsNotGranted(t *testing.T) {
	for name, c := range map[string]struct {
		app, change string
		want        postern.Kind
		redirected  bool
	}{
		"a scope":          {"own", `UPDATE apps SET scopes = 'write' WHERE id = 'own'`, postern.InvalidScope, true},
		"the grant":        {"own", `UPDATE apps SET grants = 'client_credentials' WHERE id = 'own'`, postern.UnauthorizedClient, true},
		"the secret":       {"own", `UPDATE apps SET public = TRUE WHERE id = 'own'`, postern.InvalidRequest, true},
		"the redirect URL": {"own", `UPDATE apps SET redirect_urls = 'https://partner.test/new' WHERE id = 'own'`, postern.RedirectMismatch, false},
		"the role's right": {"own", `UPDATE apps SET connect_roles = 'owner' WHERE id = 'own'`, postern.Forbidden, false},
		"the whole app":    {"own", `UPDATE apps SET disabled = TRUE WHERE id = 'own'`, postern.InvalidClient, false},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				k := w.ask(asking(plain, c.app, "read"))
				w.run(c.change)
				_, err := w.decide(plain, k, "ada", "acme", true)
				w.wants(err, c.want)
				if _, ok := errors.AsType[*oauth.Refusal](err); ok != c.redirected {
					w.Fatalf("redirected: %v", ok)
				}
				if w.count(`SELECT count(*) FROM codes`) != 0 {
					w.Fatal("a code was made")
				}
			})
		})
	}
}

func TestANoDoesNotGoToAnAddressThatIsNoLongerRegistered(t *testing.T) {
	everywhere(t, func(w *world) {
		k, silent := w.ask(asking(plain, "own", "read")), w.ask(asking(rotating, "own", "read"))
		w.run(`UPDATE apps SET redirect_urls = 'https://partner.test/new' WHERE id = 'own'`)
		_, err := w.decide(plain, k, "ada", "acme", false)
		for _, err := range []error{err, w.rules.Refuse(w.ctx, silent, postern.LoginRequired)} {
			w.wants(err, postern.RedirectMismatch)
			if _, ok := errors.AsType[*oauth.Refusal](err); ok {
				w.Fatal("it would be redirected")
			}
		}
	})
}

func TestWhatWasTakenAwayDoesNotComeWithTheNextToken(t *testing.T) {
	everywhere(t, func(w *world) {
		code, none := w.approve(plain, "own", "ada", "acme", "read", "write"), w.approve(plain, "own", "ada", "acme", "write")
		w.run(`UPDATE apps SET scopes = 'read' WHERE id = 'own'`)
		i := w.redeem(plain, "own", code)
		if len(i.Scopes) != 1 || i.Scopes[0] != "read" {
			w.Fatalf("the exchange gives %v", i.Scopes)
		}
		_, err := w.rules.Redeem(w.ctx, redeeming(plain, "own", none))
		w.wants(err, postern.InvalidGrant)
	})
	everywhere(t, func(w *world) {
		i := w.connect(plain, "own", "ada", "acme", "read", "write")
		w.run(`UPDATE apps SET scopes = 'read' WHERE id = 'own'`)
		next, err := w.refresh(plain, "own", i.RefreshToken)
		w.ok(err)
		if len(next.Scopes) != 1 || next.Scopes[0] != "read" {
			w.Fatalf("the refresh gives %v", next.Scopes)
		}
		w.run(`UPDATE apps SET scopes = 'other' WHERE id = 'own'`)
		_, err = w.refresh(plain, "own", i.RefreshToken)
		w.wants(err, postern.InvalidScope)
	})
}

func TestACodeOfAnAppThatLostItsSecretIsNotRedeemedByItsNameAlone(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "own", "ada", "acme", "read")
		w.run(`UPDATE apps SET public = TRUE WHERE id = 'own'`)
		q := redeeming(plain, "own", code)
		q.Client.Secret = ""
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidGrant)
	})
}

func TestACodeOfAMemberWhoMayNoLongerConnectIsNotRedeemed(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "whole", "bob", "acme", "read")
		w.run(`UPDATE apps SET connect_roles = 'admin' WHERE id = 'whole'`)
		_, err := w.rules.Redeem(w.ctx, redeeming(plain, "whole", code))
		w.wants(err, postern.InvalidGrant)
	})
}

func TestST04_WhatNoRowCanHoldIsUnknown(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, odd := range []string{"a\x00b", "\xff\xfe", "\x00"} {
			a := asking(plain, odd, "read")
			_, err := w.rules.Ask(w.ctx, a)
			w.wants(err, postern.UnknownClient)
			c := client("own")
			c.ClientID = odd
			_, err = w.rules.Redeem(w.ctx, &oauth.Redeem{Terms: plain, Client: c, Code: postern.Secret(odd)})
			w.wants(err, postern.InvalidClient)
			_, err = w.rules.Introspect(w.ctx, &oauth.Introspect{Terms: plain, Client: c, Token: postern.Secret(odd)})
			w.wants(err, postern.InvalidClient)
			w.wants(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, odd, ""), postern.NotFound)
			a = asking(plain, "own", "read")
			a.State, a.LoginHint = odd, odd
			w.ask(a)
		}
	})
}
