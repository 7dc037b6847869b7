package guard_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"postern.dev/postern/guard"
	"postern.dev/postern/internal/posterntest"
)

// span keeps the attributes that it is given.
type span struct {
	noop.Span
	recorded bool
	kept     []attribute.KeyValue
}

func (s *span) IsRecording() bool                      { return s.recorded }
func (s *span) SetAttributes(kv ...attribute.KeyValue) { s.kept = append(s.kept, kv...) }

func TestARecordedSpanSaysWhoCallsAndNoSecret(t *testing.T) {
	s := posterntest.New(t)
	g, _ := api(t, s, guard.Options{})
	access, header := token(s, posterntest.Standard)
	for _, recorded := range []bool{true, false} {
		for range 2 { // at first sight, and from memory
			kept := &span{recorded: recorded}
			r := httptest.NewRequest("GET", "/who", nil).WithContext(trace.ContextWithSpan(context.Background(), kept))
			r.Header.Set("Authorization", header)
			c, err := g.Check(r)
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("postern.app=%s postern.account=%s postern.connection=%s postern.dialect=standard", c.App, c.Account, c.Connection)
			var got []string
			for _, kv := range kept.kept {
				got = append(got, string(kv.Key)+"="+kv.Value.AsString())
			}
			text := strings.Join(got, " ")
			if recorded && text != want || !recorded && text != "" || strings.Contains(text, access) {
				t.Errorf("recorded %t: the span says %q, want %q", recorded, text, want)
			}
		}
	}
}

// said is a log to read.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) log() *slog.Logger { return slog.New(slog.NewTextHandler(s, nil)) }

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
