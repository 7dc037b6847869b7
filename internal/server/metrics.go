package server

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"postern.dev/postern/internal/dialect"
)

// metrics are what operators watch. Their labels come from our own lists
// (dialects that are mounted, endpoints, kinds of refusal), never from a
// request, so that there are only so many of them and none holds a secret
// (attacks.md ST-10).
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "postern_requests_total",
			Help: "Requests of partners' machines and browsers, by dialect, endpoint and refusal (empty: granted).",
		}, []string{"dialect", "endpoint", "refused"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "postern_request_seconds",
			Help:    "How long they took.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"endpoint"}),
	}
	m.registry.MustRegister(
		m.requests, m.took,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "postern_ready", Help: "1 when this node may be sent requests.",
		}, func() float64 {
			if s.health.ready(context.Background()) {
				return 1
			}
			return 0
		}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "postern_request_log_dropped_total", Help: "Requests that found no room on their way into apps' request logs. They were answered, and are only missing there.",
		}, func() float64 { return float64(s.Requests.Dropped()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "postern_change_sequence_age_seconds", Help: "How long ago this node last read the change sequence; above 1 it trusts its memory of tokens no longer.",
		}, func() float64 { return s.OAuth.Memory.Age().Seconds() }),
	)
	return m
}

// seen counts a request in a dialect.
func (m *metrics) seen(r dialect.Seen) {
	refused := ""
	if r.Refused != nil {
		refused = string(r.Refused.Kind)
	}
	m.requests.WithLabelValues(r.Dialect, r.Endpoint, refused).Inc()
	m.took.WithLabelValues(r.Endpoint).Observe(float64(r.Took) / float64(time.Second))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
