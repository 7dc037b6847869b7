package replay

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
	"postern.dev/postern/internal/transcript"
	"postern.dev/postern/internal/yamlfile"
)

// origin is where the throw-away Postern believes to be. Nothing leaves the
// process.
const origin = "https://postern.test"

// stage is a throw-away Postern.
type stage struct {
	file    string // of the transcript, to report at
	cfg     *config.Config
	dir     string
	clock   *clock
	node    *server.Server
	dialect *dialect.Dialect
	scopes  []string // that the transcript names

	declared map[string]bool // apps and people that are there
	wire     *wire
	hash     string // of everybody's password
}

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(ctx context.Context, t *transcript.Transcript, o Options) (*stage, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "postern-replay-")
	if err != nil {
		return nil, err
	}
	s := &stage{file: t.File, dir: dir, hash: string(hash), clock: &clock{now: time.Now().UTC().Truncate(time.Second)}, scopes: scopesOf(t), declared: map[string]bool{}}
	if err := s.start(ctx, t, o); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stage) start(ctx context.Context, t *transcript.Transcript, o Options) error {
	var err error
	if s.cfg, err = configuration(s.dir, o); err != nil {
		return err
	}
	s.cfg.Dialects = mounts(t, o.Dialect)
	if s.node, err = s.newNode(ctx); err != nil {
		return err
	}
	s.dialect = s.node.Dialects.List()[0]
	s.wire = newWire(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.node.Handler().ServeHTTP(w, r) }))
	return nil
}

// configuration is read as an operator's is, but never from the environment.
func configuration(dir string, o Options) (*config.Config, error) {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	settings := map[string]any{"public_url": origin, "database": o.Database, "insecure_loopback": true,
		"secret_key": base64.StdEncoding.EncodeToString(key)}
	if o.Database == "" {
		settings["database"] = "sqlite:" + filepath.Join(dir, "postern.db")
	}
	text, err := json.Marshal(settings) // which YAML contains
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "postern.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	cfg, _, err := config.Load(config.Sources{File: file})
	return cfg, err
}

// mounts are the dialect that is played, and those that apps speak beside it.
func mounts(t *transcript.Transcript, of config.Mount) []config.Mount {
	list := []config.Mount{of}
	seen := map[string]bool{of.Name: true}
	for _, a := range t.Apps() {
		for _, name := range append(words(transcript.Get(a.Settings, "also")), words(transcript.Get(a.Settings, "dialect"))...) {
			if !seen[name] {
				seen[name] = true
				list = append(list, config.Mount{Name: name})
			}
		}
	}
	return list
}

func (s *stage) newNode(ctx context.Context) (*server.Server, error) {
	return server.New(ctx, s.cfg, server.Outside{Now: s.clock.Now})
}

// restart ends the server and starts it again on the same database.
func (s *stage) restart(ctx context.Context) (err error) {
	if err = s.node.Close(); err != nil {
		return err
	}
	s.node, err = s.newNode(ctx)
	return err
}

func (s *stage) close() (err error) {
	if s.wire != nil {
		err = s.wire.close()
	}
	if s.node != nil {
		err = errors.Join(err, s.node.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

func (s *stage) issuer() string { return origin + s.dialect.Base() }

// send sends a request as a machine does; with a person's cookies as a browser.
func (s *stage) send(ctx context.Context, r *request, cookies http.CookieJar) (*answer, error) {
	return s.wire.send(ctx, r, cookies)
}

// apply declares what a line of the transcript declares.
func (s *stage) apply(ctx context.Context, line transcript.Line, resources map[string]any) error {
	text, err := json.Marshal(resources)
	if err != nil {
		return err
	}
	_, err = s.node.Registry.Apply(ctx, registry.Read(registry.File{Name: s.file, Data: text}), false)
	problems, ok := errors.AsType[yamlfile.Problems](err)
	if !ok {
		return err
	}
	here := make(yamlfile.Problems, len(problems))
	for i, p := range problems {
		here[i] = yamlfile.Problem{Position: yamlfile.Position{File: s.file, Line: int(line)}, Key: p.Key, Msg: p.Msg}
	}
	return here
}
