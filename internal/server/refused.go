package server

import (
	"log/slog"
	"maps"
	"net/http"
	"sync"
	"time"
)

// refused counts requests of agents that had no success, by their status, and logs
// each status once in a while: nobody fills the log from outside. Control knows who
// was refused what, and audits it; a request that is none never comes to it.
type refused struct {
	log *slog.Logger

	mu     sync.Mutex
	counts map[int]int64
	logged map[int]time.Time
	since  map[int]int64 // that were not logged
}

// logEvery is how often one status is logged.
const logEvery = 10 * time.Second

func newRefused(log *slog.Logger) *refused {
	return &refused{log: log, counts: map[int]int64{}, logged: map[int]time.Time{}, since: map[int]int64{}}
}

// count counts a request that was answered with status.
func (c *refused) count(r *http.Request, status int, err error) {
	c.mu.Lock()
	c.counts[status]++
	now := time.Now()
	if now.Sub(c.logged[status]) < logEvery {
		c.since[status]++
		c.mu.Unlock()
		return
	}
	others := c.since[status]
	c.logged[status], c.since[status] = now, 0
	c.mu.Unlock()
	c.log.Warn("request of an agent refused", "status", status, "from", r.RemoteAddr, "path", r.URL.Path, "why", err, "others", others)
}

func (c *refused) all() map[int]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts)
}
