package main

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

// issued sends a request for tokens and gives what came.
func issued(client *http.Client, req *http.Request, err error) (tokens, error) {
	var t tokens
	if err != nil {
		return t, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return t, err
	}
	if err := answered(resp, http.StatusOK, &t); err != nil {
		return t, err
	}
	if t.Access == "" {
		return t, fmt.Errorf("%s: an answer without an access token", req.URL.Path)
	}
	return t, nil
}

func (n *node) exchange(w *wire, code string) (tokens, error) {
	req, err := w.exchange(n.public, code)
	return issued(n.client, req, err)
}

func (n *node) refresh(w *wire, token string) (tokens, error) {
	req, err := w.refresh(n.public, token)
	return issued(n.client, req, err)
}

func (n *node) introspect(token string) error {
	return introspect(n.client, n.public+"/oauth/introspect", apiID, token)
}

func introspect(client *http.Client, at, id, token string) error {
	resp, err := client.PostForm(at, url.Values{"client_id": {id}, "client_secret": {secret}, "token": {token}})
	if err != nil {
		return err
	}
	var got struct{ Active bool }
	if err := answered(resp, http.StatusOK, &got); err != nil {
		return err
	}
	if !got.Active {
		return fmt.Errorf("a live token is not active")
	}
	return nil
}

// check asks as a gateway does, and looks at whose token it was.
func (n *node) check(w *wire, token string) error {
	req, err := http.NewRequest(http.MethodGet, n.internal+"/check", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", w.credential(token))
	resp, err := n.client.Do(req)
	if err != nil {
		return err
	}
	if got := resp.Header.Get("X-Postern-App"); resp.StatusCode == http.StatusOK && got != w.app {
		return fmt.Errorf("a token of %s is said to be of %q", w.app, got)
	}
	return answered(resp, http.StatusOK, nil)
}

// series is kind after kind of operation on one node.
type series struct {
	*bench
	node *node
	fill *filler
	s    *subject
	err  error
}

// add measures one kind of operation. The first error ends the series.
func (r *series) add(name string, warm, n int, do func(i int) error) {
	if r.err != nil {
		return
	}
	var got *result
	if got, r.err = r.node.meter.loop(name, r.workers, warm, n, do); r.err == nil {
		r.s.Results = append(r.s.Results, got)
	}
}

// then is a step between operations.
func (r *series) then(do func() error) {
	if r.err == nil {
		r.err = do()
	}
}

// measureEngine measures every operation on a new database of an engine.
func (b *bench) measureEngine(engine string) error {
	if !b.wants(operations...) {
		return nil
	}
	p, err := b.newPlace(engine, "operations")
	if err != nil {
		return err
	}
	defer p.close()
	n, err := b.prepare(p, resources(b.people))
	if err != nil {
		return err
	}
	if p.fill, err = newFiller(p.database); err != nil {
		return err
	}
	if err := p.fill.ensureFamilies(max(b.tokens, 2*b.n)); err != nil {
		return err
	}
	if err := p.fill.settle(); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		return err
	}
	defer n.stop()
	r := &series{bench: b, node: n, fill: p.fill, s: b.report.subject(engine, "Postern, "+proper(engine))}
	n.startFacts(r.s)
	r.operations()
	if r.err == nil {
		r.s.fact("resident after all of it", n.residentMiB(), "MiB")
		r.err = b.report.print(r.s)
	}
	if r.err == nil && b.wants("dialects") {
		r.s = b.report.subject(engine+" dialects", "Postern, "+proper(engine)+", dialects")
		r.dialects()
		if r.err == nil {
			r.err = b.report.print(r.s)
		}
	}
	return r.err
}

func proper(engine string) string {
	return map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL"}[engine]
}

func (r *series) operations() {
	w, n, warm := &wires[0], r.n, r.n/4
	if r.wants("flow") {
		r.flows()
	}
	if r.wants("exchange") {
		r.exchanges("exchange", w, "new", 1)
		r.exchanges("exchange, standing connection", w, "standing", 8)
	}
	if r.wants("refresh") {
		r.add("refresh, rotating", warm, n, func(i int) error {
			_, err := r.node.refresh(w, secretText("refresh", i))
			return err
		})
	}
	if r.wants("client") {
		r.add("client credentials", warm, n, func(int) error {
			req, err := w.ask(r.node.public, "grant_type", "client_credentials")
			_, err = issued(r.node.client, req, err)
			return err
		})
	}
	one := secretText("access", 0)
	if r.wants("check") {
		r.add("check, one token", warm, 3*n, func(int) error { return r.node.check(w, one) })
		r.add("check, first sight", 0, r.tokens, func(i int) error { return r.node.check(w, secretText("access", i)) })
		r.add("check, many tokens", 0, r.tokens, func(i int) error { return r.node.check(w, secretText("access", i)) })
	}
	if r.wants("introspect") {
		r.add("introspection, one token", warm, 3*n, func(int) error { return r.node.introspect(one) })
		many := min(3*n, r.fill.families)
		r.add("introspection, many tokens", many, 3*n, func(i int) error { return r.node.introspect(secretText("access", i%many)) })
	}
	if r.wants("metadata") {
		r.add("metadata", warm, 3*n, func(int) error {
			resp, err := r.node.client.Get(r.node.public + "/.well-known/oauth-authorization-server")
			if err != nil {
				return err
			}
			var got struct{ Issuer string }
			if err := answered(resp, http.StatusOK, &got); err != nil {
				return err
			}
			if got.Issuer != r.node.public {
				return fmt.Errorf("the issuer is %q", got.Issuer)
			}
			return nil
		})
	}
}

// exchanges measures exchanges of new codes: each of them makes a connection, or
// only the first of some of one account.
func (r *series) exchanges(name string, w *wire, kind string, each int) {
	warm := r.n / 4
	kind = "code " + w.name + kind
	r.then(func() error { return r.fill.codes(w, kind, warm+r.n, each) })
	r.add(name, warm, r.n, func(i int) error {
		_, err := r.node.exchange(w, secretText(kind, i))
		return err
	})
}

// flows measures the sign-in, and what follows up to the token.
func (r *series) flows() {
	people := make([]*http.Client, r.people)
	busy := make([]sync.Mutex, r.people) // a person answers one question at a time
	if r.err == nil {
		var got *result
		if got, r.err = r.node.meter.loop("sign-in (argon2id)", 2, 0, r.people, func(i int) (err error) {
			people[i], err = r.node.signIn(i)
			return err
		}); r.err == nil {
			r.s.Results = append(r.s.Results, got)
		}
	}
	r.add("authorize to token, signed in", r.n/8, r.n/2, func(i int) error {
		p := i % r.people
		busy[p].Lock()
		defer busy[p].Unlock()
		code, err := r.node.approve(people[p])
		if err != nil {
			return err
		}
		_, err = r.node.exchange(&wires[0], code)
		return err
	})
}

// dialects measures what the same costs in other words: the wires take turns, so
// that the machine's moods and a growing database meet them all alike.
func (r *series) dialects() {
	const rounds = 3
	var turns []turn
	for i := range wires {
		w, warm := &wires[i], r.n/4
		fresh, spent := "code "+w.name+"dialect", "code "+w.name+"tokens"
		got := make([]tokens, warm+r.n)
		r.then(func() error { return r.fill.codes(w, fresh, warm+r.n, 1) })
		r.then(func() error { return r.fill.codes(w, spent, len(got), 1) })
		r.then(func() error {
			_, err := callers(r.workers, 0, len(got), func(i int) (err error) {
				got[i], err = r.node.exchange(w, secretText(spent, i))
				return err
			})
			return err
		})
		turns = append(turns, turn{"exchange, " + w.name, warm, r.n, func(i int) error {
			_, err := r.node.exchange(w, secretText(fresh, i))
			return err
		}})
		if w.refreshes {
			turns = append(turns, turn{"refresh, " + w.name, warm, r.n, func(i int) error {
				_, err := r.node.refresh(w, got[i].Refresh)
				return err
			}})
		}
		turns = append(turns, turn{"check, " + w.name, 3 * r.n, 3 * r.n, func(i int) error { return r.node.check(w, got[i%len(got)].Access) }})
	}
	r.inTurns(rounds, turns)
}

// turn is an operation that is measured a part at a time.
type turn struct {
	name    string
	warm, n int
	do      func(i int) error
}

func (r *series) inTurns(rounds int, turns []turn) {
	for round := range rounds {
		for i, t := range turns {
			r.then(func() error {
				part, from, warm := t.n/rounds, 0, t.warm
				if round > 0 {
					from, warm = t.warm+round*part, 0
				}
				got, err := r.node.meter.loop(t.name, r.workers, warm, part, func(i int) error { return t.do(from + i) })
				switch {
				case err != nil:
				case round == 0:
					r.s.Results = append(r.s.Results, got)
				default:
					r.s.Results[len(r.s.Results)-len(turns)+i].join(got)
				}
				return err
			})
		}
	}
}
