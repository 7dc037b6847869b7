package dev

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/ui"
)

//go:embed pages/*
var pageFiles embed.FS

// site is the partner's site: what its customers see, with a look behind the
// scenes that no real partner would give.
type site struct {
	partner *partner
	at      places
	host    string    // the only one that is served
	own     *ui.Pages // Postern's, in the partner's colour
	pages   *template.Template
	style   []byte
	mux     *http.ServeMux
	forgery *http.CrossOriginProtection
}

// colour tells the partner's pages from Postern's.
const colour = "#7a3d8f"

func newSite(p *partner, at places) *site {
	pages, err := ui.New(ui.Brand{Name: partnerName, Colour: colour})
	if err != nil {
		panic(err) // a fixed brand: no input can do this
	}
	style, err := pageFiles.ReadFile("pages/partner.css")
	if err != nil {
		panic(err) // it is compiled in
	}
	s := &site{
		partner: p, at: at, host: strings.TrimPrefix(at.partner, "http://"), own: pages, style: style,
		pages: template.Must(template.New("").Funcs(template.FuncMap{"asset": pages.Assets.Path}).ParseFS(pageFiles, "pages/*.html")),
		mux:   http.NewServeMux(), forgery: http.NewCrossOriginProtection(),
	}
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":                     s.home,
		"GET /connect/{dialect}":       s.connect,
		"GET /callback/{dialect}":      s.callback,
		"GET /connections/{id}":        s.show,
		"POST /connections/{id}/{act}": s.act,
		"GET /partner.css":             s.css,
		"GET /design":                  s.design,
	} {
		s.mux.HandleFunc(pattern, handle)
	}
	return s
}

// ServeHTTP answers to its own name only: a page elsewhere whose name leads to
// this machine must not read tokens here.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ui.Headers{}.Set(w.Header())
	if r.Host != s.host {
		http.Error(w, "This is "+s.at.partner+".", http.StatusMisdirectedRequest)
		return
	}
	if err := s.forgery.Check(r); err != nil {
		s.say(w, http.StatusForbidden, message{Heading: "This came from another site", What: "The form was not sent from this site, so nothing was done."})
		return
	}
	if r.Method == http.MethodGet && s.own.Assets.Serve(w, r) {
		return
	}
	s.mux.ServeHTTP(w, r)
}

// design shows the parts that pages are made of, to whoever builds one.
func (s *site) design(w http.ResponseWriter, r *http.Request) {
	_ = s.own.Write(w, r, http.StatusOK, ui.Design()) // the browser went away: nothing to tell it
}

func (s *site) css(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(s.style) // the browser went away: nothing to tell it
}

// write answers with a page; nothing is sent before all of it is rendered.
func (s *site) write(w http.ResponseWriter, status int, name string, page any) {
	var out bytes.Buffer
	if err := s.pages.ExecuteTemplate(&out, name, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the browser went away: nothing to tell it
}

// message is a page that says one thing.
type message struct {
	Heading, What, Do string
	Curl              string   // a command to paste; empty: none
	Then              []string // further ones
	Again             string   // a dialect to try again; empty: none
}

func (message) Title() string { return "About this connection" }

func (s *site) say(w http.ResponseWriter, status int, m message) {
	s.write(w, status, "message.html", m)
}

// homePage is what there is to connect, and what is connected.
type homePage struct {
	Offers      []offer
	Connections []card
	Exchanges   []*exchange
	Postern     string
	Email       string
	Password    string
}

func (homePage) Title() string { return "Integrations" }

// offer is a dialect that a customer can connect by.
type offer struct {
	Name    string
	For     string // whom the connection is for
	Wire    string // the address of the question
	Token   string // how a token is shown
	Refresh bool
}

// card is a connection in a list.
type card struct {
	*connection
	Words string // what the server said, in a line
}

func (s *site) home(w http.ResponseWriter, r *http.Request) {
	h := homePage{Postern: s.at.public, Email: inBoth.email, Password: password}
	for _, name := range s.partner.order {
		h.Offers = append(h.Offers, offerOf(s.partner.apps[name]))
	}
	for _, c := range s.partner.all() {
		h.Connections = append(h.Connections, card{c, s.words(c)})
	}
	h.Exchanges = s.partner.last(nil)
	s.write(w, http.StatusOK, "home.html", h)
}

func offerOf(app *dialect.Speaker) offer {
	o := offer{Name: app.Dialect.Name(), For: "the whole account", Refresh: app.Dialect.Terms().Refresh != nil}
	if app.Dialect.Level() == "user" {
		o.For = "the person who allows"
	}
	link, _, _ := strings.Cut(strings.TrimPrefix(app.Authorize("", ""), app.Server), "?")
	o.Wire = link
	example := app.Call(http.MethodGet, "", "TOKEN")
	switch {
	case example.Basic:
		o.Token = "Basic, TOKEN as the user"
	case len(example.Header) > 0:
		o.Token = strings.Replace(example.Header[0].Value, "VE9LRU4=", "base64(TOKEN)", 1)
		if example.Header[0].Name != "Authorization" {
			o.Token = example.Header[0].Name + ": " + o.Token
		}
	}
	return o
}

// words are what the server said of whom the connection is for.
func (s *site) words(c *connection) string {
	told := s.partner.told(c)
	for _, name := range []string{"user.nickname", "account.name", "account.id", "user.id"} {
		if told[name] != "" {
			return told[name]
		}
	}
	return ""
}

// connect sends the person to the server. The cookie ties the answer to this
// browser.
func (s *site) connect(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("dialect")
	if s.partner.apps[name] == nil {
		s.lost(w)
		return
	}
	visitor := s.visitor(r)
	if visitor == "" {
		visitor = random()
		http.SetCookie(w, &http.Cookie{Name: visitorCookie, Value: visitor, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	http.Redirect(w, r, s.partner.begin(name, visitor), http.StatusFound)
}

const visitorCookie = "hirewell_visitor"

func (s *site) visitor(r *http.Request) string {
	c, err := r.Cookie(visitorCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// callback is where the person comes back to.
func (s *site) callback(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("dialect")
	if s.partner.apps[name] == nil {
		s.lost(w)
		return
	}
	c, err := s.partner.finish(r.Context(), name, s.visitor(r), r.URL.Query())
	if err == nil {
		http.Redirect(w, r, "/connections/"+c.ID, http.StatusSeeOther)
		return
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		s.say(w, http.StatusOK, message{Heading: "Not connected", What: "The answer was no: " + refused.word + ".",
			Do: "Nothing was shared, and nothing is kept.", Again: name})
		return
	}
	if errors.Is(err, errNotOurs) {
		s.byHand(w, name, r.URL.Query())
		return
	}
	s.say(w, http.StatusBadGateway, message{Heading: "That did not work", What: err.Error(), Again: name})
}

// byHand shows a code that nobody here asked for. A real partner would stop
// there; whoever plays the partner with curl finds the next command.
func (s *site) byHand(w http.ResponseWriter, name string, query url.Values) {
	app := s.partner.apps[name]
	if back := app.Callback(query); back.Code != "" && back.State == handState {
		s.say(w, http.StatusOK, message{Heading: "A code for you",
			What: "You opened the link by hand, so this site leaves the code to you. It works once, and for a few minutes. Redeem it:",
			Curl: app.Redeem(back.Code, handVerifierOf(app)).Curl(),
			Do:   "Then, in the same shell, with what you were answered as " + strings.Join(blanksOf(app), " and ") + ":",
			Then: handCommands(app, s.at)})
		return
	}
	s.say(w, http.StatusBadRequest, message{Heading: "Nobody here asked for this", Again: name,
		What: "This answer does not belong to a connection that this browser began, so the partner's site stops here, as every partner should: the code could be somebody else's."})
}

// connectionPage is one connection with all that can be done with it.
type connectionPage struct {
	*connection
	Said       []said
	Exchanges  []*exchange
	Problem    string
	CanRefresh bool
	CanAsk     bool
	CanEnd     bool
	Curl       []string
	Postern    string
}

// said is something that the server told of a connection.
type said struct{ Name, Value string }

// saidOf is all that is no secret, in order.
func saidOf(told dialect.Told) (all []said) {
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if !isSecret(name) {
			all = append(all, said{strings.NewReplacer(".", " ", "_", " ").Replace(name), told[name]})
		}
	}
	return all
}

func (p connectionPage) Title() string { return "Connected by " + p.Dialect }

// Dead reports whether there is nothing to end: it was ended here, or the server
// has just refused the token.
func (p connectionPage) Dead() bool {
	return p.Ended || len(p.Exchanges) > 0 && p.Exchanges[0].Status == http.StatusUnauthorized
}

func (s *site) show(w http.ResponseWriter, r *http.Request) {
	if c := s.partner.connection(r.PathValue("id")); c != nil {
		s.showConnection(w, http.StatusOK, c, "")
		return
	}
	s.lost(w)
}

func (s *site) showConnection(w http.ResponseWriter, status int, c *connection, problem string) {
	app, told := s.partner.apps[c.Dialect], s.partner.told(c)
	p := connectionPage{connection: c, Said: saidOf(told), Exchanges: s.partner.last(c), Problem: problem, Postern: s.at.public,
		CanRefresh: told["refresh_token"] != "", CanAsk: app.Whoami("") != nil, CanEnd: app.Revoke(told) != nil,
		Curl: []string{app.Call(http.MethodGet, s.at.api+"/candidates", told["access_token"]).Curl()}}
	if m := app.Revoke(told); m != nil {
		p.Curl = append(p.Curl, m.Curl())
	}
	s.write(w, status, "connection.html", p)
}

// act does one thing with a connection, and shows what went over the wire.
func (s *site) act(w http.ResponseWriter, r *http.Request) {
	c := s.partner.connection(r.PathValue("id"))
	if c == nil {
		s.lost(w)
		return
	}
	ctx, err := r.Context(), error(nil)
	switch r.PathValue("act") {
	case "call":
		_, err = s.partner.call(ctx, c, "/candidates")
	case "overreach":
		_, err = s.partner.call(ctx, c, "/invoices")
	case "whoami":
		_, err = s.partner.whoami(ctx, c)
	case "refresh":
		_, err = s.partner.refresh(ctx, c)
	case "disconnect":
		_, err = s.partner.disconnect(ctx, c)
	case "forget":
		if err = s.partner.forget(c); err == nil {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
	default:
		s.lost(w)
		return
	}
	if err != nil {
		s.showConnection(w, http.StatusBadGateway, c, err.Error())
		return
	}
	http.Redirect(w, r, "/connections/"+c.ID, http.StatusSeeOther)
}

func (s *site) lost(w http.ResponseWriter) {
	s.say(w, http.StatusNotFound, message{Heading: "There is nothing here", What: "The site may have begun anew since you were here."})
}
