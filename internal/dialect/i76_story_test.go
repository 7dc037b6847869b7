package dialect_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
)

// story is one app's life in the dialect at hand, with all that may be tried.
func (w *wires) story(i int) {
	a, b := w.app("a-"), w.app("b-")
	extra := []string{"audience=" + url.QueryEscape(hostile), "unknown=%00"}
	if w.d.second {
		extra = append(extra, "user_scope=read")
	}
	if w.d.offline {
		extra = append(extra, "access_type=offline")
	}
	w.questions(a, extra)
	w.answers(a, extra)
	w.requests(a, extra)
	w.onceOnly(a, b, extra)
	w.proofs(a, extra)
	w.ownersMistakes(a, extra)
	w.age(a, extra)
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	if told == nil {
		w.Fatal("a code is not redeemed")
	}
	w.nothingWidens(a, told)
	if i%10 == 0 {
		w.race(a, extra)
	}
	w.rotation(a, extra)
	w.confused(a, extra)
	w.switchedOff(i, a, extra)
	w.public(extra)
	w.elsewhere(a, extra)
	w.end(a, extra)
}

// onceOnly: strangers change nothing; the owner redeems once; a replay ends it.
func (w *wires) onceOnly(a, b *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	if w.redeem(b, code, verifier) != nil {
		w.Error("another app redeems the code")
	}
	elsewhere := *a
	elsewhere.Dialect, elsewhere.Sign, elsewhere.ClientSecret = w.other, nil, string(secretOf(a.ClientID))
	rec := w.send(elsewhere.Redeem(string(code), verifier))
	if told := elsewhere.Answer(rec.Header().Get("Content-Type"), rec.Body.String()); told["access_token"] != "" {
		w.Error("another dialect redeems the code")
	}
	if w.redeem(w.impostor(a), code, verifier) != nil {
		w.Error("a wrong secret redeems the code")
	}
	told := w.redeem(a, code, verifier)
	if told == nil {
		w.Fatal("strangers' attempts took the code from its owner")
	}
	t := w.lives(told["access_token"])
	if t.AppID != a.ClientID || t.Account.ID != "acme" || (t.Connection.UserID == "") != w.d.account {
		w.Errorf("it stands for %s, %s, %q", t.AppID, t.Account.ID, t.Connection.UserID)
	}
	if _, err := w.rules.Check(w.ctx, w.other.Name(), postern.Secret(told["access_token"])); err == nil {
		w.Error("another dialect knows the token")
	}
	if w.d.second {
		if own := w.lives(told["second.access_token"]); own.Connection.UserID != "ada" || len(own.Scopes) != 1 {
			w.Errorf("the second token stands for %q, %v", own.Connection.UserID, own.Scopes)
		}
	}
	if again := w.redeem(a, code, verifier); again != nil {
		w.Error("a code is redeemed twice")
	}
	w.dead("after a replay of its code", told["access_token"])
	if w.d.second {
		w.dead("the second, after a replay of its code", told["second.access_token"])
	}
}

// ownersMistakes: a wrong verifier or redirect URL burns the code.
func (w *wires) ownersMistakes(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	if w.redeem(a, code, strings.Replace(verifier, "a", "b", 1)) != nil {
		w.Error("a wrong verifier redeems the code")
	}
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code is redeemed after a wrong verifier")
	}
	code = w.ask(a, challenge, extra...)
	lost := a.Redeem(string(code), verifier)
	if w.tokens(a, a.Redeem(string(code), "")) != nil {
		w.Error("no verifier redeems the code")
	}
	if w.tokens(a, lost) != nil {
		w.Error("a code is redeemed after no verifier")
	}
	code = w.ask(a, challenge, extra...)
	elsewhere := *a
	elsewhere.RedirectURL = target + "2"
	r := elsewhere.Redeem(string(code), verifier)
	if said := r.URL + r.Body; !strings.Contains(said, "p.test") { // the wire leaves it out; it may be sent all the same
		r = w.with(r, "redirect_uri", elsewhere.RedirectURL)
	}
	if w.tokens(a, r) != nil {
		w.Error("another redirect URL redeems the code")
	}
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code is redeemed after another redirect URL")
	}
	if w.d.pkce {
		w.refused("without a challenge", a, a.Authorize(hostile, ""))
	}
}

// age: a code and a token live as long as the file says, and no longer.
func (w *wires) age(a *dialect.Speaker, extra []string) {
	terms := w.wire.Terms()
	code := w.ask(a, challenge, extra...)
	w.clock.Advance(terms.Code.Life)
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code outlives its life")
	}
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	if life := terms.Access.Life; life > 0 {
		w.clock.Advance(life)
		w.dead("beyond its life", told["access_token"])
	}
}

// nothingWidens: a refresh or a renewal gives no scope that was not granted, for
// nobody else, and other apps and dialects get nothing for the token.
func (w *wires) nothingWidens(a *dialect.Speaker, told dialect.Told) {
	first := w.lives(told["access_token"])
	held := func(told dialect.Told) {
		w.Helper()
		if told == nil {
			return
		}
		t := w.lives(told["access_token"])
		for _, s := range t.Scopes {
			if !slices.Contains(first.Scopes, s) {
				w.Errorf("it has the scope %s", s)
			}
		}
		if t.Account.ID != first.Account.ID || t.Connection.ID != first.Connection.ID || t.AppID != first.AppID {
			w.Errorf("it stands for %s, %s", t.Account.ID, t.Connection.ID)
		}
	}
	if refresh := told["refresh_token"]; refresh != "" {
		next := w.refreshes(a, refresh)
		held(next)
		if w.d.scopes {
			held(w.tokens(a, w.with(a.Refresh(next["refresh_token"]), "scope", "admin")))
		}
	}
	if !w.d.renews {
		return
	}
	grant := func(s *dialect.Speaker) *dialect.Request {
		r := s.Redeem("nothing", "")
		r.Body = strings.NewReplacer("authorization_code", "swap", "the_code", "swap").Replace(r.Body)
		r.URL = strings.NewReplacer("authorization_code", "swap", "the_code", "swap").Replace(r.URL)
		return w.with(r, "old_token", told["access_token"])
	}
	if w.tokens(w.app("b-"), grant(w.app("b-"))) != nil {
		w.Error("another app renews the token")
	}
	if w.d.scopes && w.tokens(a, w.with(grant(a), "scope", "admin")) != nil {
		w.Error("a renewal widens the scope")
	}
	renewed := w.tokens(a, grant(a))
	if renewed == nil {
		w.Fatal("a live token is not renewed")
	}
	held(renewed)
	if absolute := w.wire.Terms().Access.Absolute; absolute > 0 {
		if t := w.lives(renewed["access_token"]); t.ExpiresAt.IsZero() || t.ExpiresAt.After(first.FamilyStartedAt.Add(absolute)) {
			w.Errorf("it lives until %s", t.ExpiresAt)
		}
	}
}

// refreshes: the owner, and nobody else.
func (w *wires) refreshes(a *dialect.Speaker, refresh string) dialect.Told {
	w.Helper()
	b, wrong := w.app("b-"), w.impostor(a)
	if w.tokens(b, w.refresh(b, refresh)) != nil || w.tokens(wrong, w.refresh(wrong, refresh)) != nil {
		w.Error("somebody else refreshes")
	}
	told := w.tokens(a, w.refresh(a, refresh))
	if told == nil {
		w.Fatal("a refresh is refused")
	}
	if told["refresh_token"] == "" {
		told["refresh_token"] = refresh
	}
	return told
}

// refresh asks in the way of the code, where only some grants can be refreshed.
func (w *wires) refresh(s *dialect.Speaker, token string) *dialect.Request { return s.Refresh(token) }

// race: of many callers at once, one at most is given tokens.
func (w *wires) race(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	var won sync.Map
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if told := w.redeem(a, code, verifier); told != nil {
				won.Store(n, told)
			}
		})
	}
	wg.Wait()
	count := 0
	won.Range(func(_, told any) bool {
		count++
		w.dead("after its code was replayed", told.(dialect.Told)["access_token"])
		return true
	})
	if count != 1 {
		w.Errorf("%d callers won", count)
	}
}

// public: without a secret, a challenge is needed and its verifier is the proof.
func (w *wires) public(extra []string) {
	p := w.app("p-")
	if strings.Contains(w.text, "by secret") || strings.Contains(w.text, "sign: {") {
		return // such wires have no public apps
	}
	w.refused("a public app without a challenge", p, p.Authorize(hostile, ""))
	code := w.ask(p, challenge, extra...)
	if w.redeem(w.impostor(p), code, verifier) != nil {
		w.Error("a public app with a secret")
	}
	if w.redeem(p, code, strings.Replace(verifier, "a", "b", 1)) != nil || w.redeem(p, code, verifier) != nil {
		w.Error("a public app's code, after a wrong verifier")
	}
}

// end: revocation ends what it says, by whoever may; others end nothing.
func (w *wires) end(a *dialect.Speaker, extra []string) {
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	token := told["access_token"]
	if !strings.Contains(w.text, "by: holder") {
		w.tryToRevoke(told)
		w.lives(token)
	}
	again := w.lives(token)
	if r := a.Revoke(told); r != nil {
		w.send(r)
		w.dead("after it was revoked", token)
		w.send(r) // again is no harm
	}
	if strings.Contains(w.text, "ends: connection") && told["refresh_token"] != "" && w.tokens(a, w.refresh(a, told["refresh_token"])) != nil {
		w.Error("a refresh token outlives its connection")
	}
	if c, err := w.db.Connection(w.ctx, again.Connection.ID); err == nil && c.EndedAt.IsZero() {
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, c.ID, ""))
	}
	w.dead("after its connection was ended", token)
	if w.redeem(a, w.ask(a, challenge, extra...), verifier) == nil {
		w.Fatal("a new approval gives nothing")
	}
	w.dead("after a new approval", token) // RV-09
	w.clock.Advance(time.Second)
}
