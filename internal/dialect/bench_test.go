package dialect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// manyFiles are the built-in files over and over, each under a name and a base of
// its own.
func manyFiles(n int) []string {
	files := make([]string, n)
	for i := range files {
		name := Builtin()[i%len(Builtin())]
		data, _ := BuiltinFile(name)
		lines := slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool {
			return strings.HasPrefix(line, "base:") || strings.HasPrefix(line, "name:")
		})
		files[i] = fmt.Sprintf("name: d%d\nbase: /d%d\n%s", i, i, strings.Join(lines, "\n"))
	}
	return files
}

// BenchmarkLoad400 reads four hundred files and mounts them; MiB-held is what stays
// in memory.
func BenchmarkLoad400(b *testing.B) {
	files := manyFiles(400)
	var before, after runtime.MemStats
	var set *Set
	for b.Loop() {
		b.StopTimer() // what is left of the last round is not this one's
		set = nil
		runtime.GC()
		runtime.ReadMemStats(&before)
		b.StartTimer()
		all := make([]*Dialect, len(files))
		errs := make([]error, len(files))
		var wg sync.WaitGroup
		for i, text := range files { // as the server reads them: at once
			wg.Go(func() { all[i], errs[i] = Library{}.Compile("acme.yaml", []byte(text)) })
		}
		wg.Wait()
		err := errors.Join(errs...)
		if err != nil {
			b.Fatal(err)
		}
		if set, err = NewSet(all...); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	const MiB = 1 << 20
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/MiB, "MiB-held")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/load")
	runtime.KeepAlive(set)
}

// idle is an engine that answers at once: what is measured is the wire.
type idle struct {
	Engine
	issued *oauth.Issued
}

func (e *idle) Redeem(context.Context, *oauth.Redeem) (*oauth.Issued, error)   { return e.issued, nil }
func (e *idle) Refresh(context.Context, *oauth.Refresh) (*oauth.Issued, error) { return e.issued, nil }

// BenchmarkExchange is a token request in each built-in dialect, without the
// engine: compare each with standard (perf.md, goal 11: at most 1.1 times with
// the engine behind it).
func BenchmarkExchange(b *testing.B) {
	for _, name := range Builtin() {
		d, err := Library{}.Builtin(name)
		if err != nil {
			b.Fatal(err)
		}
		set, err := NewSet(d)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			world := newBench(b, set)
			engine := &idle{world.engine, &oauth.Issued{AccessToken: xeeboToken, RefreshToken: refreshText, IssuedAt: start, ExpiresAt: start.Add(3600e9),
				Scopes: []string{"a", "b"}, App: world.engine.rows.apps["p-"+name], Account: &postern.Account{ID: "acc_1", WireID: xrefAccount, Name: "Acme"},
				User: &postern.User{ID: "usr_1", Nickname: "ada"}}}
			world.Engine = engine
			s := &Speaker{Dialect: d, Server: "https://auth.example", ClientID: "p-" + name, ClientSecret: secretText, RedirectURL: "https://p.example/cb", Tenant: "acme"}
			q := s.Redeem(codeText, "")
			header := http.Header{}
			for _, h := range q.Header {
				header.Set(h.Name, h.Value)
			}
			if q.Basic {
				header.Set("Authorization", basic(q.User, q.Password))
			}
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest(q.Method, q.URL, strings.NewReader(q.Body))
				r.Header = header
				w := httptest.NewRecorder()
				if world.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
}
