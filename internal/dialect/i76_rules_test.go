package dialect_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
)

// The rules of the engine that no wire may bend, as attacks: what is tried, and
// must come to the same in every dialect.

// refused: the app is told so at its registered URL, with its state and without a
// code, and nobody is asked anything.
func (w *wires) refused(why string, s *dialect.Speaker, address string) {
	w.Helper()
	rec := w.send(&dialect.Request{Method: "GET", URL: address})
	w.toldNo(why, s, rec.Code, rec.Header().Get("Location"))
}

func (w *wires) toldNo(why string, s *dialect.Speaker, status int, to string) {
	w.Helper()
	query, found := strings.CutPrefix(to, target+"&")
	values, err := url.ParseQuery(query)
	if status != http.StatusFound || !found || err != nil || strings.Contains(query, "#") {
		w.Errorf("%s: %d %s", why, status, to)
		return
	}
	if c := s.Callback(values); c.Code != "" || c.Error == "" || c.State != hostile {
		w.Errorf("%s: %+v", why, c)
	}
}

// nowhere: what was asked leads to a page of ours, and to no address.
func (w *wires) nowhere(why, address string) {
	w.Helper()
	if rec := w.send(&dialect.Request{Method: "GET", URL: address}); rec.Code < 400 || rec.Header().Get("Location") != "" {
		w.Errorf("%s: %d %s", why, rec.Code, rec.Header())
	}
}

// unlike are redirect URLs that are not the registered one (AZ-01 to AZ-10).
var unlike = []string{
	"https://evil.test/cb", "https://p.test/CB?own=1", "https://p.test/cb/?own=1", "https://p.test/cb", target + "&x=2",
	"https://p.test/cb/../cb?own=1", "https://p.test@evil.test/cb?own=1", "https://p.test.evil.test/cb?own=1", `https://evil.test\@p.test/cb?own=1`,
	"http://p.test/cb?own=1", "https://p.test:443/cb?own=1", target + "#", "//p.test/cb?own=1",
}

// questions are authorize requests that are not right.
func (w *wires) questions(a *dialect.Speaker, extra []string) {
	good := with(a.Authorize(hostile, challenge), extra...)
	for _, u := range unlike {
		s := *a
		s.RedirectURL = u
		address := s.Authorize(hostile, challenge)
		if escaped := escape(u); !strings.Contains(address, escaped) { // the wire leaves it out; it may be sent all the same
			address = with(address, "redirect_uri="+escaped)
		}
		w.nowhere(u, address)
	}
	_, query, _ := strings.Cut(good, "?")
	w.nowhere("every parameter twice (AZ-12)", good+"&"+query)
	nobody := *a
	nobody.ClientID = "nobody"
	w.nowhere("an app that nobody has (AZ-13)", nobody.Authorize(hostile, challenge))

	for _, kind := range []string{"token", "id_token", "code token", "none", "CODE", "code "} { // AZ-15
		word := "response_type=" + escape(kind)
		if address := strings.Replace(good, "response_type=code", word, 1); address != good {
			w.refused(kind, a, address)
		} else {
			w.refused(kind, a, with(good, word))
		}
	}
	w.refused("another response_mode (AZ-16)", a, with(good, "response_mode=fragment"))
	w.refused("a request object (AZ-28)", a, with(good, "request=e30"))
	w.refused("a request from elsewhere (AZ-28)", a, with(good, "request_uri=https://evil.test/r"))
	for _, c := range []string{challenge[1:], challenge + strings.Repeat("a", 86), challenge[1:] + "=", challenge[2:] + "+ "} { // AZ-27
		w.refused("the challenge "+c, a, a.Authorize(hostile, c))
	}
	for _, method := range []string{"plain", "s256", "S512"} {
		w.refused("the method "+method, a, strings.Replace(good, "code_challenge_method=S256", "code_challenge_method="+method, 1))
	}
	if w.d.scopes { // AZ-26
		s := *a
		s.Scopes = []string{"read", "everything"}
		w.refused("a scope that the app may not ask for", &s, with(s.Authorize(hostile, challenge), extra...))
	}
	if rec := w.send(&dialect.Request{Method: "HEAD", URL: good}); rec.Code != http.StatusOK || rec.Header().Get("Location") != "" { // AZ-21
		w.Errorf("HEAD: %d %s", rec.Code, rec.Header())
	}
	if rec := w.send(&dialect.Request{Method: "PUT", URL: good}); rec.Code != http.StatusMethodNotAllowed {
		w.Errorf("PUT: %d", rec.Code)
	}
}

// answers: a question is its reader's, and is answered once.
func (w *wires) answers(a *dialect.Speaker, extra []string) {
	good := with(a.Authorize(hostile, challenge), extra...)
	decide := func(k *postern.Ticket, person string, m *postern.Membership) (*oauth.Granted, error) {
		return w.rules.Decide(w.ctx, &oauth.Decision{Terms: w.wire.Terms(), Ticket: k, User: postern.User{ID: person}, Allow: m != nil, Account: m})
	}
	of := func(person string) *postern.Membership {
		all, err := w.db.Memberships(w.ctx, person)
		w.ok(err)
		return &all[0]
	}
	k := w.ticket(good)
	w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
	if w.rules.ShowTicket(w.ctx, k, "eve") == nil { // LC-05
		w.Error("a question that ada has read is eve's")
	}
	if _, err := decide(k, "ada", of("eve")); err == nil {
		w.Error("ada allows it for an account that is not hers")
	}
	k = w.ticket(good)
	w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
	_, err := decide(k, "ada", nil) // AZ-17
	no, isRefusal := err.(*oauth.Refusal)
	if !isRefusal {
		w.Fatalf("a denial: %v", err)
	}
	w.toldNo("a denial", a, http.StatusFound, w.wire.Refused(no, w.door.Issuer))
	if _, err := decide(k, "ada", of("ada")); err == nil {
		w.Error("a question that was denied is allowed")
	}
	k = w.ticket(good) // AZ-30
	w.allowed(a, k, "ada")
	if _, err := decide(k, "ada", of("ada")); err == nil {
		w.Error("a question is allowed twice")
	}
}

// requests are token requests that are not right; each is refused and leaves the
// code to be redeemed.
func (w *wires) requests(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	good := func() *dialect.Request { return a.Redeem(string(code), verifier) }
	refused := func(why string, r *dialect.Request) {
		w.Helper()
		if w.tokens(a, r) != nil {
			w.Errorf("%s: tokens", why)
		}
	}
	twice := good() // TK-14, TK-18
	switch {
	case w.d.byURL:
		_, query, _ := strings.Cut(twice.URL, "?")
		twice.URL += "&" + query
	case strings.HasPrefix(twice.Body, "{"):
		twice.Body = strings.TrimSuffix(twice.Body, "}") + "," + twice.Body[1:]
	default:
		twice.Body += "&" + twice.Body
	}
	refused("every parameter twice", twice)
	for _, method := range []string{"PUT", "PATCH", "HEAD"} { // TK-20
		other := good()
		other.Method = method
		refused(method, other)
	}
	if !w.d.byURL {
		typed := good() // TK-17
		typed.Header = slices.Clone(typed.Header)
		for i := range typed.Header {
			if typed.Header[i].Name == "Content-Type" {
				typed.Header[i].Value = "text/xml"
			}
		}
		refused("a body of another type", typed)
		moved := good() // TK-19
		if !strings.HasPrefix(moved.Body, "{") {
			moved.URL, moved.Body = with(moved.URL, moved.Body), ""
			refused("parameters in the address", moved)
		}
	}
	for _, grant := range []string{"password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "AUTHORIZATION_CODE", "authorization_code "} { // TK-29
		refused("the grant "+grant, w.asGrant(good(), grant))
	}
	if w.redeem(a, code, verifier) == nil {
		w.Error("a refused request took the code from its owner")
	}
}

// asGrant is a token request with another grant_type, also where the wire does
// without one.
func (w *wires) asGrant(r *dialect.Request, grant string) *dialect.Request {
	for _, name := range []string{"authorization_code", "the_code"} {
		said := r.URL + r.Body
		r.URL = strings.Replace(r.URL, "grant_type="+name, "grant_type="+escape(grant), 1)
		r.Body = strings.Replace(r.Body, "grant_type="+name, "grant_type="+escape(grant), 1)
		r.Body = strings.Replace(r.Body, `"grant_type":"`+name+`"`, `"grant_type":"`+grant+`"`, 1)
		if r.URL+r.Body != said {
			return r
		}
	}
	return w.with(r, "grant_type", grant)
}

// rotation: a refresh token has one live successor; one that comes back after its
// successor was used ends them all (TK-23, TK-25).
func (w *wires) rotation(a *dialect.Speaker, extra []string) {
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	first := told["refresh_token"]
	if first == "" {
		return
	}
	again := func(token string) dialect.Told {
		t := w.tokens(a, w.refresh(a, token))
		if t != nil && t["refresh_token"] == "" {
			t["refresh_token"] = token
		}
		return t
	}
	second := again(first)
	if second == nil {
		w.Fatal("a refresh is refused")
	}
	if second["refresh_token"] == first { // it stays
		if again(first) == nil {
			w.Error("a refresh token that stays is refused")
		}
		return
	}
	retried := again(first)
	if retried == nil {
		w.Fatal("a retry before the successor was used is refused")
	}
	if window := w.wire.Terms().For(map[string]string{"query access_type": "offline"}).Refresh; window != nil && window.Window > 0 && retried["refresh_token"] != second["refresh_token"] {
		w.Error("a retry within the window has another answer")
	}
	third := again(retried["refresh_token"])
	if third == nil {
		w.Fatal("the successor is refused")
	}
	if again(first) != nil {
		w.Error("a refresh token is good after its successor was used")
	}
	w.dead("after a refresh token came back", third["access_token"])
	if again(third["refresh_token"]) != nil {
		w.Error("a family lives on after one of its refresh tokens came back")
	}
}

// confused: each thing works in its own place, whole, and nowhere else (TK-30, TK-32).
func (w *wires) confused(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	w.dead("a code as an access token", string(code))
	told := w.redeem(a, code, verifier)
	token := told["access_token"]
	if w.redeem(a, postern.Secret(token), verifier) != nil {
		w.Error("an access token is redeemed as a code")
	}
	if refresh := told["refresh_token"]; refresh != "" {
		w.dead("a refresh token as an access token", refresh)
		if w.redeem(a, postern.Secret(refresh), verifier) != nil || w.tokens(a, w.refresh(a, token)) != nil || w.tokens(a, w.refresh(a, string(code))) != nil {
			w.Error("one thing passes for another")
		}
	}
	last := token[len(token)-1:]
	for _, near := range []string{token[:len(token)-1], token + "0", token[1:], swapCase(token), token[:len(token)-1] + string(last[0]^1), " " + token, token + "\n"} {
		w.dead("nearly a token", near)
	}
	w.lives(token)
}

func swapCase(s string) string {
	if upper := strings.ToUpper(s); upper != s {
		return upper
	}
	return strings.ToLower(s)
}

// switchedOff: between approval and exchange something is switched off (TK-33);
// nothing is given, and a live token is dead while it is.
func (w *wires) switchedOff(i int, a *dialect.Speaker, extra []string) {
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	code := w.ask(a, challenge, extra...)
	table, id := []string{"apps", "accounts", "partners"}[i%3], []string{a.ClientID, "acme", "p"}[i%3]
	set := func(off bool) {
		_, err := w.sql.Exec(`UPDATE `+table+` SET disabled = $1 WHERE id = $2`, off, id)
		w.ok(err)
	}
	set(true)
	if w.redeem(a, code, verifier) != nil {
		w.Errorf("tokens while %s are switched off", table)
	}
	w.dead("while "+table+" are switched off", told["access_token"])
	set(false)
}

// elsewhere: what happens to one account's connection is nothing to another's (RV-08).
func (w *wires) elsewhere(a *dialect.Speaker, extra []string) {
	if strings.Contains(w.text, "tenant:") {
		return // the address names one of the two
	}
	hers := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	w.approver = "eve"
	theirs := w.redeem(a, w.allowed(a, w.ticket(with(a.Authorize(hostile, challenge), extra...)), "eve"), verifier)
	w.approver = "ada"
	t := w.lives(hers["access_token"])
	if w.rules.Disconnect(w.ctx, postern.User{ID: "eve"}, t.Connection.ID, "") == nil {
		w.Error("eve ends a connection of another account")
	}
	w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, t.Connection.ID, ""))
	w.dead("after its account ended the connection", hers["access_token"])
	if other := w.lives(theirs["access_token"]); other.Account.ID != "globex" {
		w.Errorf("it stands for %s", other.Account.ID)
	}
	w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "eve"}, w.lives(theirs["access_token"]).Connection.ID, ""))
}

// tryToRevoke: neither another app nor who cannot prove to be this one ends
// anything (RV-01, RV-02).
func (w *wires) tryToRevoke(told dialect.Told) {
	for _, s := range []*dialect.Speaker{w.impostor(w.app("a-")), w.app("b-")} {
		if r := s.Revoke(told); r != nil {
			w.send(r)
		}
	}
}

// escape is a text as a query holds it, in the way of the Speaker.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
