package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"
	"os"
	"path"
	"path/filepath"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/admin"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/gate"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/routes"
	"postern.dev/postern/internal/ui"
	"postern.dev/postern/internal/web"
)

// reading is what one reading of the configuration comes to: the dialects, the
// rules for routes, and the doors made of them. It never changes; a request is
// served by one of them from beginning to end. What lasts is the Server's.
type reading struct {
	*Server
	cfg      *config.Config
	Dialects *dialect.Set
	Registry *registry.Rules
	routes   *routes.Table // nil: no rules for routes

	public   http.Handler
	internal http.Handler

	ending context.Context // done when the next reading takes over, or the node stops
	end    context.CancelFunc
}

// read makes a reading whole, or nothing.
func (s *Server) read(cfg *config.Config, mounted *dialect.Set) (*reading, error) {
	r := &reading{Server: s, cfg: cfg, Dialects: mounted}
	r.Registry = newRegistry(cfg, s.outside, s.DB, s.Identity, s.vault, mounted, s.Mail)
	r.Registry.Learn = s.OAuth.Memory.Learn
	var err error
	if r.routes, err = Routes(cfg, mounted); err != nil {
		return nil, err
	}
	r.ending, r.end = context.WithCancel(s.ending)
	r.internal = r.insideDoors()
	if r.public, err = r.doors(); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// Reload takes over what a running server can of a configuration that was read
// anew (docs/operating.md); left are the keys whose change needs another start.
// Where anything is wrong nothing changes. Streams of the old reading end: who
// follows them comes again, and fetches what may have changed.
func (s *Server) Reload(next *config.Config) (left []string, err error) {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	old := s.latest.Load()
	cfg, left := old.cfg.Taking(next)
	mounted, err := Mounts(cfg)
	if err != nil {
		return nil, err
	}
	if err := choosable(cfg, mounted); err != nil {
		return nil, err
	}
	r, err := s.read(cfg, mounted)
	if err != nil {
		return nil, err
	}
	s.mounted.Store(mounted)
	s.latest.Store(r)
	old.end()
	for _, w := range r.warnings() {
		s.outside.Log.Warn(w)
	}
	return left, nil
}

// doors mounts what the world may knock at.
func (s *reading) doors() (http.Handler, error) {
	brand, err := brandOf(s.cfg)
	if err != nil {
		return nil, err
	}
	pages, err := ui.New(brand, ui.File{Name: "guide.css", Content: []byte(dialect.GuideStyle()), MediaType: "text/css; charset=utf-8"})
	if err != nil {
		return nil, err
	}
	pages.HTTPS = strings.HasPrefix(s.cfg.PublicURL, "https:")
	o, address := s.outside, s.proxies()
	people, err := web.New(web.Config{
		PublicURL: s.cfg.PublicURL, Pages: pages, Engine: s.OAuth, People: s.Identity, Rows: s.DB,
		Wire: func(name string) (web.Wire, bool) { return s.Dialects.Get(name) },
		Now:  o.Now, Random: o.Random, Log: o.Log, Address: address.clientAddress, RequestID: requestID, Seen: s.answered,
	})
	if err != nil {
		return nil, err
	}
	staff, err := s.staffDoors(pages)
	if err != nil {
		return nil, err
	}
	machines := &dialect.Door{
		Set: s.Dialects, Engine: s.OAuth, Issuer: s.cfg.PublicURL, Browser: people.Browser, Pages: people,
		Source: address.clientAddress, Scopes: s.DB.DefaultScopes, Keys: s.Signing.Set, Log: o.Log, Now: o.Now, Seen: s.seen,
	}
	api := admin.New(admin.Config{
		Engine: s.OAuth, Rows: s.DB, Webhooks: s.Webhooks, Source: address.clientAddress, Ending: s.ending.Done(), Log: o.Log,
		PublicURL: s.cfg.PublicURL,
	})
	return &frame{
		next:    s.route(machines, api, people, staff),
		proxies: address, now: o.Now, log: o.Log,
		mint:  func() (string, error) { return postern.NewID(o.Random, "req_") },
		https: strings.HasPrefix(s.cfg.PublicURL, "https:"),
		oops:  people.Error,
	}, nil
}

// route finds the door: machines' wires first, people's pages for the rest.
func (s *reading) route(machines *dialect.Door, api, people http.Handler, staff *staffDoors) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch door := staff.of(r.URL.Path); {
		case r.URL.Path == healthPath:
			recordOf(r.Context()).quiet = true
			s.health.ServeHTTP(w, r)
		case machines.Serve(w, r):
		case strings.HasPrefix(r.URL.Path, admin.Prefix) || r.URL.Path == admin.DocumentPath:
			api.ServeHTTP(w, r)
		case door != nil:
			door.ServeHTTP(w, r)
		default:
			people.ServeHTTP(w, r)
		}
	})
}

func (s *reading) proxies() (list proxies) {
	for _, n := range s.cfg.TrustedProxies {
		list = append(list, n.Prefix)
	}
	return list
}

// check is the API's door.
func (s *reading) check() *gate.Gate {
	return &gate.Gate{Dialects: s.Dialects, Engine: s.OAuth, Sequence: s.OAuth.Memory, Routes: s.routes, Fallback: defaultDialect, Log: s.outside.Log, Seen: s.checked}
}

// insideDoors is what the internal listener serves; it is never exposed.
func (s *reading) insideDoors() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.Handle("GET /readyz", &s.health)
	mux.Handle("GET /metrics", s.metrics.handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	check := s.check()
	api := func(ctx context.Context, id string, secret postern.Secret, source string) error {
		return s.OAuth.AuthenticateAPI(ctx, oauth.ClientAuth{ClientID: id, Secret: secret, Basic: true, Source: source})
	}
	changes := &gate.Stream{Sequence: s.OAuth.Memory, Rows: s.DB, Log: s.outside.Log.Warn, Ending: s.ending.Done(), API: api}
	rules := &gate.Rules{Routes: s.routes, API: api}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.insideIDs.named(w)
		switch at := r.URL.EscapedPath(); {
		case strings.HasPrefix(at, "/check"):
			ctx, cancel := context.WithTimeout(r.Context(), checkTime)
			defer cancel()
			check.ServeHTTP(w, r.WithContext(ctx))
		case at == "/changes":
			changes.ServeHTTP(w, r)
		case at == "/routes":
			rules.ServeHTTP(w, r)
		case path.Clean(at) != strings.TrimSuffix(at, "/"): // not redirected to what it might have meant
			http.NotFound(w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// brandOf reads the logo, too.
func brandOf(cfg *config.Config) (ui.Brand, error) {
	b := ui.Brand{Name: cfg.Branding.Name, Colour: cfg.Branding.Color, Help: cfg.Branding.Support}
	if cfg.Branding.Logo == "" {
		return b, nil
	}
	image, err := os.ReadFile(cfg.Branding.Logo)
	if err != nil {
		return b, fmt.Errorf("branding.logo: %w", err)
	}
	const most = 256 << 10
	if len(image) > most {
		return b, fmt.Errorf("branding.logo: %s is larger than 256 KiB; every page shows it", cfg.Branding.Logo)
	}
	b.Logo = image
	b.LogoType = map[string]string{
		".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	}[strings.ToLower(filepath.Ext(cfg.Branding.Logo))]
	return b, nil
}

// warnings are what the mounted dialects weaken, for the log.
func (s *reading) warnings() (list []string) {
	for _, d := range s.Dialects.List() {
		for _, i := range d.Insecure() {
			list = append(list, fmt.Sprintf("the dialect %s sets %s because: %s", d.Name(), i.Key, i.Because))
		}
	}
	return list
}
