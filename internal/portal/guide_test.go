package portal_test

import (
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// A guide is kept for each language that somebody asked for it in; none is shown
// to those who read another.
func TestAGuideIsInItsReadersLanguage(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Viewer)
	guide, start := "/portal/docs/dialects/standard", "/portal/apps/"+posterntest.Standard.ID+"/start"

	wants(t, b.Get(guide), 200, "Connecting by standard", "3. Exchange the code", "A code lives 5 minutes, and works once.")
	for range 2 {
		p := b.Get(guide + "?lang=de")
		wants(t, p, 200, "Verbinden im Dialekt standard", "3. Den Code tauschen", "Ein Code gilt 5 Minuten lang und nur einmal.", "die Anfrage wird abgelehnt")
		if strings.Count(p.Body, ` lang="en"`) != strings.Count(p.Body, `hreflang="en"`) {
			t.Error("a part of the German page is marked as English")
		}
	}
	wants(t, b.Get(start), 200, "Schnellstart", "Ihre App", "Der Verbinden-Link Ihrer App.", "Mit Postern verbinden</a>")
	wants(t, b.Get("/portal/docs?q=dieselbe+antwort"), 200, "5. Erneuern")
	wants(t, b.Get("/portal/docs?q=dieselbe+antwort&lang=en"), 200, "Nothing has")
	if p := b.Get("/portal/docs?q=standard+webhooks&lang=en"); !p.Has("Standard Webhooks") || p.Has("[Standard") {
		t.Errorf("what was found is not shown as people read it:\n%s", p.Text())
	}
	wants(t, b.Get(guide), 200, "Connecting by standard")
}
