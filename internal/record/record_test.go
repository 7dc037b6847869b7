package record_test

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/record"
	"postern.dev/postern/internal/replay"
	"postern.dev/postern/internal/transcript"
)

// tape is a recorder before a Postern that plays the old server.
type tape struct {
	t   *testing.T
	url string

	mu  sync.Mutex
	all []*record.Exchange
}

func newTape(t *testing.T, upstream string) *tape {
	t.Helper()
	to, err := url.Parse(upstream)
	if err != nil {
		t.Fatal(err)
	}
	p := &tape{t: t}
	s := httptest.NewServer(record.Proxy(to, func(x *record.Exchange) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.all = append(p.all, x)
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *tape) transcripts(o record.Options) []*transcript.Transcript {
	p.mu.Lock()
	defer p.mu.Unlock()
	return record.Transcripts(p.all, o)
}

// What is recorded before a server is answered in the same way by a Postern that
// speaks its dialect, and holds nothing that was secret.
func TestARecordingReplaysAndHoldsNoSecret(t *testing.T) {
	for _, app := range posterntest.Apps {
		t.Run(app.Dialect, func(t *testing.T) {
			s := posterntest.New(t)
			tape := newTape(t, s.URL)
			at := func(r posterntest.Request) posterntest.Request {
				r.Path = tape.url + r.Path
				return r
			}
			b := posterntest.NewBrowser(t, tape.url)
			address := strings.Replace(s.AuthorizeURL(app, "state", "S1"), s.URL, tape.url, 1)
			page := b.SignIn(b.Get(address), posterntest.Ada, posterntest.Password)
			b.Deny(page)
			code := b.Allow(b.Get(address)).Query.Get("code")
			s.Send(at(posterntest.RedeemRequest(posterntest.App{ID: app.ID, Secret: "a-wrong-secret-of-twenty", RedirectURL: app.RedirectURL, Dialect: app.Dialect}, code)))
			pair := s.Send(at(posterntest.RedeemRequest(app, code))).OK()
			token := pair.Field("access_token")
			if refresh := pair.Field("refresh_token"); refresh != "" {
				s.Send(at(posterntest.RefreshRequest(app, refresh))).OK()
			}
			s.Send(at(posterntest.RevokeRequest(app, token))).OK()

			list := tape.transcripts(record.Options{ClientIDs: []string{app.ID}})
			if len(list) != 1 || record.FileName(list[0]) != app.ID+".txt" {
				t.Fatalf("%d transcripts: %v", len(list), list)
			}
			text := list[0].String()
			for _, secret := range []string{app.Secret, code, token, pair.Field("refresh_token"), posterntest.Password, posterntest.Ada, "a-wrong-secret"} {
				if secret != "" && strings.Contains(text, secret) {
					t.Errorf("%q is in the transcript:\n%s", secret, text)
				}
			}
			for _, wanted := range []string{"@allow", "@deny", "{{access_token", "@app client_id=" + app.ID} {
				if !strings.Contains(text, wanted) {
					t.Errorf("%s is not in the transcript:\n%s", wanted, text)
				}
			}
			read, err := transcript.Parse("recorded.txt", []byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			report, err := replay.Play(context.Background(), read, replay.Options{Dialect: config.Mount{Name: app.Dialect}})
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			for _, d := range report.Differences {
				t.Errorf("%s\n%s", d, text)
			}
		})
	}
}
