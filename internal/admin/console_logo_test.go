package admin_test

import (
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

// The operator sees the picture behind a proposed address, fetched once and shown
// to nobody else; approved is that one, whatever the host shows later.
func TestLC10_TheOperatorApprovesThePictureThatTheySaw(t *testing.T) {
	var later atomic.Bool
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := image.NewNRGBA(image.Rect(0, 0, 4, 4))
		if later.Load() {
			m.Set(0, 0, color.NRGBA{R: 255, A: 255})
		}
		png.Encode(w, m)
	}))
	defer host.Close()
	s := posterntest.New(t, posterntest.Set("apps", "review"))
	dev, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	id := posterntest.Standard.ID
	settings := "/portal/apps/" + id + "/settings"
	dev.Press(dev.Get(settings), "Save", "logo_url", host.URL+"/logo.png",
		"reason:candidates.read", "a", "reason:candidates.write", "b", "reason:jobs.read", "c").Wants(t, 200, "Handed in")
	page := op.Get("/operator/apps/" + id)
	for end := time.Now().Add(30 * time.Second); !strings.Contains(page.Body, "proposed.png"); page = op.Get("/operator/apps/" + id) {
		if time.Now().After(end) {
			t.Fatalf("no picture: %s", page.Text())
		}
		page.Wants(t, 200, "The picture is being fetched")
		time.Sleep(100 * time.Millisecond)
	}
	seen := op.Get("/operator/apps/"+id+"/proposed.png").Wants(t, 200)
	if kind := seen.Header.Get("Content-Type"); kind != "image/png" || !strings.Contains(seen.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("it is served as %s, %s", kind, seen.Header.Get("Cache-Control"))
	}
	if own := dev.Get("/portal/apps/"+id+"/proposed.png").Wants(t, 200); own.Body != seen.Body {
		t.Error("its own people see another one")
	}
	s.Portal(posterntest.OtherDev).Get("/portal/apps/"+id+"/proposed.png").Wants(t, 404)
	if strings.Contains(s.SignedIn(posterntest.Ada).Get(s.AuthorizeURL(posterntest.Standard)).Body, "/logos/") {
		t.Error("people see what nobody approved")
	}
	later.Store(true)
	op.Press(page, "Approve").Wants(t, 200, "Approved")
	asked := s.SignedIn(posterntest.Ada).Get(s.AuthorizeURL(posterntest.Standard))
	path := regexp.MustCompile(`/logos/[^"]+\.png`).FindString(asked.Body)
	if path == "" {
		t.Fatalf("no logo: %s", asked.Body)
	}
	if got := op.Get(path).Wants(t, 200); got.Body != seen.Body {
		t.Error("another picture than was approved")
	}
}
