package server

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/store/serve"
)

// metrics reads the server's numbers whenever somebody asks for them.
type metrics struct {
	control *control.Control
	objects *serve.Stats
	refused *refused
	log     *slog.Logger
}

// statsFor bounds how long numbers may take to be read.
const statsFor = 5 * time.Second

func (m *metrics) handler() http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// desc names a metric; words are its labels.
func desc(name, help string, words ...string) *prometheus.Desc {
	return prometheus.NewDesc("ingot_"+name, help, words, nil)
}

// Describe implements prometheus.Collector: which metrics there are depends on
// what happened.
func (m *metrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), statsFor)
	defer cancel()
	s, err := m.control.Stats(ctx)
	if err != nil {
		m.log.Error("read the server's numbers", "error", err)
		to <- prometheus.NewInvalidMetric(desc("machines", "", "state"), err)
		return
	}
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	each(s.Machines, func(state string, n int) {
		gauge(desc("machines", "Machines by what the server thinks of them.", "state"), float64(n), state)
	})
	gauge(desc("machines_online", "Machines whose agent runs."), float64(s.Online))
	each(s.Jobs, func(state string, n int) {
		gauge(desc("jobs", "Jobs by state.", "state"), float64(n), state)
	})
	gauge(desc("batches_running", "Batches that have not ended."), float64(s.Batches))
	gauge(desc("rate_bytes", "Bytes per second that running jobs move."), float64(s.Rate))
	each(s.Ended, func(state string, n int64) {
		count(desc("jobs_ended_total", "Jobs that ended since the server started.", "state"), n, state)
	})
	count(desc("written_bytes_total", "Bytes that jobs wrote."), s.Written)
	each(s.Refused, func(reason string, n int64) {
		count(desc("refused_total", "Requests that were refused.", "reason"), n, reason)
	})
	for status, n := range m.refused.all() {
		count(desc("agent_requests_refused_total", "Requests of agents that had no success, by the status of the answer.", "status"), n, strconv.Itoa(status))
	}
	o := m.objects
	gauge(desc("objects_running", "Requests for objects of the store that are being answered."), float64(o.Running.Load()))
	count(desc("objects_requests_total", "Requests for objects of the store."), o.Requests.Load())
	count(desc("objects_sent_bytes_total", "Bytes of objects sent."), o.Sent.Load())
	count(desc("objects_received_bytes_total", "Bytes of objects stored."), o.Received.Load())
	for reason, n := range map[string]int64{"refused": o.Refused.Load(), "bad-key": o.BadKeys.Load(), "bad-bytes": o.BadBytes.Load(), "failed": o.Failed.Load()} {
		count(desc("objects_refused_total", "Requests for objects that were not granted.", "reason"), n, reason)
	}
}

func each[K ~string, N any](numbers map[K]N, do func(string, N)) {
	for k, n := range numbers {
		do(string(k), n)
	}
}
