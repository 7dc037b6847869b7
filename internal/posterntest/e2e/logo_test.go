package e2e

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

// A logo is fetched in the background after apply, and people see ours, never
// the partner's host.
func TestLC10_TheConsentPageShowsALogoThatWeServe(t *testing.T) {
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		png.Encode(w, image.NewNRGBA(image.Rect(0, 0, 300, 100)))
	}))
	defer host.Close()
	s := posterntest.New(t)
	s.Apply(`{partners: [{name: Partner Inc, apps: [{client_id: ` + posterntest.Xref.ID + `, logo_url: "` + host.URL + `/logo.png"}]}]}`)
	b := s.SignedIn(posterntest.Ada)
	src := regexp.MustCompile(`src="(/logos/[^"]+\.png)"`)
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		page := b.Get(s.AuthorizeURL(posterntest.Xref)).Body
		if found := src.FindStringSubmatch(page); found != nil {
			resp, err := http.Get(s.URL + found[1])
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			m, err := png.Decode(bytes.NewReader(body))
			if err != nil || m.Bounds().Dx() != 128 || resp.Header.Get("Content-Type") != "image/png" || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Fatalf("%v %v %v", err, m, resp.Header)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no logo on the page:\n%s", page)
		}
	}
}
