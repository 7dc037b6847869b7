package dialect_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
)

// I-76: a dialect's file cannot express a change of decision. Files drawn by lot
// are served side by side by the real engine over real rows, and apps that speak
// them, read backwards from the same files, are refused and served the same in
// all of them. All that people and partners choose is hostile.

const (
	hostile = "A\"\\\r\nX-Evil: 1\r\n\r\n{\"access_token\":\"x\"}&access_token=y;<script>\u2028\u202e'${account.id}$code"
	target  = "https://p.test/cb?own=1"
)

// drafts is how many files are drawn, per engine. Nearly all are served from an
// SQLite file in memory; PostgreSQL, where the rows are the same and each answer
// takes longer, has a sample.
var drafts = map[string]int{"sqlite": 970, "postgres": 30}

func TestI76_NoDialectsFileChangesADecision(t *testing.T) {
	before := debug.SetGCPercent(400) // all these requests leave little behind, and a sixth of the time went into looking for it
	t.Cleanup(func() { debug.SetGCPercent(before) })
	engines.Each(t, func(t *testing.T, database string) {
		engine, _, _ := strings.Cut(database, ":")
		if engine == "sqlite" {
			for n := range shards {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					t.Parallel()
					drawn(t, inMemory(t), n*drafts[engine]/shards, (n+1)*drafts[engine]/shards)
				})
			}
			return
		}
		drawn(t, database, 0, drafts["postgres"])
	})
}

// shards is over how many installations the files are spread, so that all
// processors have something to do.
const shards = 2

// inMemory is the address of an SQLite file that no disk need hold, where the
// machine has such a place.
func inMemory(t *testing.T) string {
	t.Helper()
	const place = "/dev/shm"
	dir, err := os.MkdirTemp(place, "postern-i76-")
	if err != nil {
		return engines.SQLite(t)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "sqlite:" + filepath.Join(dir, "postern.db")
}

// drawn serves the files of some lots side by side, and tells each one's story.
func drawn(t *testing.T, database string, from, to int) {
	t.Helper()
	var all []*draft
	for i := from; i < to; i++ {
		all = append(all, generate(uint64(i), fmt.Sprintf("d%d", i)))
	}
	newWires(t, database, all, wild).tell()
}

// TestI76_TheBuiltInDialectsDecideAlike tells the same story of the files that
// come with the product.
func TestI76_TheBuiltInDialectsDecideAlike(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		var all []*draft
		for _, name := range dialect.Builtin() {
			data, _ := dialect.BuiltinFile(name)
			d := &draft{name: name}
			d.text.Write(data)
			all = append(all, d)
		}
		newWires(t, database, all, tame).tell()
	})
}

// tell tells the story of each dialect of the installation.
func (w *wires) tell() {
	defer func() {
		if w.Failed() {
			w.Logf("in the dialect\n%s", w.text)
		}
	}()
	for i, d := range w.drafts {
		w.d, w.wire, w.text = d, w.dialects[i], d.text.String()
		w.other = w.dialects[(i+len(w.dialects)-1)%len(w.dialects)]
		if w.story(i); w.Failed() {
			return
		}
	}
}

// wild is what the rows hold where everything that people choose is hostile; tame
// where the wires are other companies', some of which put names into hosts.
var (
	wild = chosenTexts{handle: hostile, shop: "s'h\"op", tenant: "s'h\"op"}
	tame = chosenTexts{handle: "", shop: "shop", tenant: "acme"}
)

type chosenTexts struct {
	handle string // of accounts; "": their id
	shop   string
	tenant string
}

// wires is an installation that serves all the drafts at once.
type wires struct {
	*testing.T
	ctx      context.Context
	db       *store.DB
	clock    *clock.Clock
	rules    *oauth.Rules
	door     *dialect.Door
	sql      *sql.DB // to switch off what the rules may only read
	texts    chosenTexts
	drafts   []*draft
	dialects []*dialect.Dialect

	approver string // whose name an answer has to tell

	// The dialect at hand, and one whose tokens it must not know.
	d     *draft
	wire  *dialect.Dialect
	other *dialect.Dialect
	text  string
}

// plainly opens what was never sealed.
type plainly struct{}

func (plainly) Open(_, _, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

func newWires(t *testing.T, database string, all []*draft, texts chosenTexts) *wires {
	t.Helper()
	w := &wires{T: t, ctx: context.Background(), clock: clock.New(), drafts: all, texts: texts, approver: "ada"}
	var err error
	w.db, err = store.Open(w.ctx, database)
	w.ok(err)
	t.Cleanup(func() { w.db.Close() })
	w.ok(w.db.Migrate(w.ctx))
	for _, d := range all {
		w.dialects = append(w.dialects, w.compile(d))
	}
	set, err := dialect.NewSet(w.dialects...)
	w.ok(err)
	quiet := slog.New(slog.DiscardHandler)
	w.rules = &oauth.Rules{Store: w.db, Now: w.clock.Now, Random: rand.Reader, Log: quiet, Sealed: plainly{}}
	w.door = &dialect.Door{
		Set: set, Engine: w.rules, Issuer: "https://auth.test", Pages: pages{}, Log: quiet, Now: w.clock.Now,
		Browser: func(http.ResponseWriter, *http.Request) (postern.Hash, error) { return postern.Secret("b").Hash(), nil },
		Source:  func(*http.Request) string { return "192.0.2.1" },
		Scopes:  func(context.Context, string) ([]string, error) { return nil, nil },
	}
	w.settle(database)
	return w
}

// compile reads a file. A built-in one, which says no base of its own that all
// others leave alone, is mounted under its name; what a drawn one knows of itself
// is read off it.
func (w *wires) compile(d *draft) *dialect.Dialect {
	w.Helper()
	compiled, err := dialect.Library{}.Compile(d.name+".yaml", []byte(d.text.String()))
	if err != nil {
		w.Fatalf("%v\n%s", err, d.text.String())
	}
	if d.Rand != nil {
		return compiled
	}
	base := "/" + d.name
	compiled, err = compiled.Mounted(&base, nil)
	w.ok(err)
	t := compiled.Terms()
	d.scopes, d.second, d.account, d.pkce = !t.NoScopes, t.Second != nil, t.Level == postern.AccountLevel, t.PKCE == oauth.PKCERequired
	return compiled
}

type pages struct{}

func (pages) Error(w http.ResponseWriter, _ *http.Request, status int, _ *postern.Error) {
	w.WriteHeader(status)
}

// settle makes the rows: two accounts, two people, and three apps a dialect, of
// which the last has no secret.
func (w *wires) settle(database string) {
	w.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, dsn)
	w.ok(err)
	w.sql = db
	w.Cleanup(func() { db.Close() })
	rows, err := db.Begin()
	w.ok(err)
	run := func(query string, args ...any) {
		_, err := rows.Exec(query, args...)
		w.ok(err)
	}
	now := w.clock.Now().UnixMilli()
	attrs, err := json.Marshal(map[string]string{"shop": w.texts.shop, "evil": hostile})
	w.ok(err)
	for i, id := range []string{"acme", "globex"} {
		run(`INSERT INTO accounts (id, handle, name, number, attributes, created_at) VALUES ($1, $2, $3, $4, $5, $6)`, id, cmp.Or(w.texts.handle, id), hostile, i+1, string(attrs), now)
	}
	for i, id := range []string{"ada", "eve"} {
		run(`INSERT INTO users (id, email, email_folded, name, number, nickname, created_at) VALUES ($1, $2, $1, $2, $3, $2, $4)`, id, hostile+id, i+1, now)
	}
	run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ('acme', 'ada', 'admin', $1), ('globex', 'eve', 'admin', $1)`, now)
	run(`INSERT INTO partners (id, name, created_at) VALUES ('p', 'P', $1)`, now)
	for i, d := range w.drafts {
		also := w.drafts[(i+len(w.drafts)-1)%len(w.drafts)].name
		level := "user"
		if d.account {
			level = "account"
		}
		for _, kind := range []string{"a-", "b-", "p-"} {
			id, keys := kind+d.name, ""
			if kind != "p-" && w.dialects[i].TakesAssertions() {
				keys = keyOf(id).public
			}
			run(`INSERT INTO apps (id, partner_id, name, dialect, also, level, attributes, redirect_urls, scopes, default_scopes, grants, public, jwks, created_at)
				VALUES ($1, 'p', $1, $2, $3, $4, $5, $6, 'read write admin', 'read', 'authorization_code refresh_token', $7, $8, $9)`,
				id, d.name, also, level, string(attrs), target, kind == "p-", keys, now)
			if kind != "p-" {
				hash := secretOf(id).Hash()
				run(`INSERT INTO app_secrets (id, app_id, name, hash, created_at, expires_at, sealed) VALUES ($1, $1, 'x', $2, $3, 253402300799000, $4)`,
					id, hash[:], now, []byte(secretOf(id)))
			}
		}
	}
	w.ok(rows.Commit())
}

func secretOf(app string) postern.Secret { return postern.Secret("s3cret-s3cret-s3cret-" + app) }

func (w *wires) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// app is a partner's app that speaks the dialect at hand.
func (w *wires) app(kind string) *dialect.Speaker {
	id := kind + w.d.name
	s := &dialect.Speaker{Dialect: w.wire, Server: w.door.Issuer, ClientID: id, RedirectURL: target, Tenant: w.texts.tenant}
	switch {
	case kind == "p-":
	case w.d.signs:
		s.Sign = w.signs(id, keyOf(id), nil)
	default:
		s.ClientSecret = string(secretOf(id))
	}
	if w.d.scopes {
		s.Scopes = []string{"read", "write"}
	}
	return s
}

const verifier = "0123456789012345678901234567890123456789abc"

var challenge = func() string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}()

// send passes a request through the door and looks the answer over.
func (w *wires) send(r *dialect.Request) *httptest.ResponseRecorder {
	w.Helper()
	req := httptest.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	if r.Body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	for _, h := range r.Header {
		req.Header.Add(h.Name, h.Value)
	}
	if r.Basic {
		req.SetBasicAuth(r.User, r.Password)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, req)
	w.lookOver(rec)
	return rec
}

var usualHeaders = []string{"Cache-Control", "Content-Type", "Www-Authenticate", "Vary", "Location", "Referrer-Policy", "Allow", "Access-Control-Allow-Origin", "X-Who", "X-Odd"}

// lookOver: no hostile value became a header, a line or a member.
func (w *wires) lookOver(rec *httptest.ResponseRecorder) {
	w.Helper()
	if rec.Code >= 500 {
		w.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for name, values := range rec.Header() {
		if !slices.Contains(usualHeaders, name) || len(values) != 1 || strings.ContainsFunc(values[0], func(c rune) bool { return c < ' ' || c > '~' }) {
			w.Errorf("the header %s: %q", name, values)
		}
	}
}

// ask has ada allow what an app asks, and gives the code that came back.
func (w *wires) ask(s *dialect.Speaker, challenge string, more ...string) postern.Secret {
	w.Helper()
	return w.allowed(s, w.ticket(with(s.Authorize(hostile, challenge), more...)), "ada")
}

// with adds parameters to an address.
func with(address string, more ...string) string {
	for _, pair := range more {
		glue := "?"
		if strings.Contains(address, "?") {
			glue = "&"
		}
		address += glue + pair
	}
	return address
}

// ticket asks, and gives the question that a person is to answer.
func (w *wires) ticket(address string) *postern.Ticket {
	w.Helper()
	rec := w.send(&dialect.Request{Method: "GET", URL: address})
	ticket, found := strings.CutPrefix(rec.Header().Get("Location"), "/consent/")
	if rec.Code != http.StatusFound || !found {
		w.Fatalf("asked %s: %d %s", address, rec.Code, rec.Header())
	}
	k, _, err := w.rules.Ticket(w.ctx, postern.Secret(ticket))
	w.ok(err)
	return k
}

// allowed has a person say yes for the only account that is theirs.
func (w *wires) allowed(s *dialect.Speaker, k *postern.Ticket, person string) postern.Secret {
	w.Helper()
	w.ok(w.rules.ShowTicket(w.ctx, k, person))
	all, err := w.db.Memberships(w.ctx, person)
	w.ok(err)
	g, err := w.rules.Decide(w.ctx, &oauth.Decision{Terms: w.wire.Terms(), Ticket: k, User: postern.User{ID: person}, Allow: true, Account: &all[0]})
	w.ok(err)
	return w.callback(s, w.wire.Allowed(g, w.door.Issuer))
}

// callback: it goes to the registered URL, whose own query stands, with the
// parameters that the file says and no other, and the state that was sent.
func (w *wires) callback(s *dialect.Speaker, to string) postern.Secret {
	w.Helper()
	query, ok := strings.CutPrefix(to, target+"&")
	values, err := url.ParseQuery(query)
	if !ok || err != nil || strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c > '~' }) {
		w.Fatalf("it leads to %q: %v", to, err)
	}
	for name, got := range values {
		if len(got) != 1 || w.d.params != nil && !slices.Contains(w.d.params, name) {
			w.Fatalf("a parameter that the file does not say: %s=%q", name, got)
		}
	}
	c := s.Callback(values)
	if c.State != hostile {
		w.Fatalf("the state came back as %q", c.State)
	}
	return postern.Secret(c.Code)
}

// redeem gives what a token answer told; nil where it was refused.
func (w *wires) redeem(s *dialect.Speaker, code postern.Secret, verifier string) dialect.Told {
	w.Helper()
	return w.tokens(s, s.Redeem(string(code), verifier))
}

func (w *wires) tokens(s *dialect.Speaker, r *dialect.Request) dialect.Told {
	w.Helper()
	rec := w.send(r)
	told := s.Answer(rec.Header().Get("Content-Type"), rec.Body.String())
	if told["access_token"] == "" && told["second.access_token"] == "" {
		return nil
	}
	w.answer(rec)
	return told
}

// answer: the values that others chose stand where the file has them, whole.
func (w *wires) answer(rec *httptest.ResponseRecorder) {
	w.Helper()
	kept := ""
	if w.d.keep {
		kept = hostile
	}
	for _, value := range w.d.leaves {
		name := "m_" + strings.ReplaceAll(value, ".", "_")
		want := hostile
		switch of, _, _ := strings.Cut(value, "."); {
		case value == "kept.audience":
			want = kept
		case of == "user":
			want = hostile + w.approver
		}
		if got := member(w, rec, name); got != want {
			w.Errorf("%s is %q", name, got)
		}
	}
	for header := range w.d.headers {
		if got := rec.Header().Get(header); !strings.HasPrefix(got, `A"\X-Evil: 1{`) {
			w.Errorf("%s: %q", header, got)
		}
	}
}

// member finds a member of an answer by its name, at any depth.
func member(w *wires, rec *httptest.ResponseRecorder, name string) string {
	w.Helper()
	body := rec.Body.String()
	if w.d.form {
		form, err := url.ParseQuery(body)
		if err != nil || len(form[name]) > 1 {
			w.Fatalf("%s: %v", body, err)
		}
		return form.Get(name)
	}
	var said any
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		w.Fatalf("%s: %v", body, err)
	}
	found := ""
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if text, ok := inner.(string); ok && key == name {
					found = text
				}
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(said)
	return found
}

func (w *wires) lives(token string) *postern.Token {
	w.Helper()
	t, err := w.rules.Check(w.ctx, w.wire.Name(), postern.Secret(token))
	if err != nil {
		w.Fatalf("the token should live: %v", err)
	}
	return t
}

func (w *wires) dead(why, token string) {
	w.Helper()
	if _, err := w.rules.Check(w.ctx, w.wire.Name(), postern.Secret(token)); err == nil {
		w.Errorf("it lives on: %s", why)
	}
}

// with adds a parameter to a token request, wherever its others are.
func (w *wires) with(r *dialect.Request, name, value string) *dialect.Request {
	added := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	switch {
	case w.d.byURL:
		r.URL += "&" + added
	case strings.HasPrefix(r.Body, "{"):
		r.Body = strings.TrimSuffix(r.Body, "}") + fmt.Sprintf(",%q:%q}", name, value)
	default:
		r.Body += "&" + added
	}
	return r
}
