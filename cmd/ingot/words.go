package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/cli"
)

// parseTime reads a time as people write one: of day, today or else tomorrow; with a
// date; or as long from now.
func parseTime(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(strings.TrimPrefix(s, "+")); err == nil && d > 0 {
		return now.Add(d), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", s, now.Location()); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation("15:04", s, now.Location())
	if err != nil {
		return t, cli.Usage("--at wants a time such as 22:00, '2026-12-24 22:00' or 90m, not %q", s)
	}
	at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at, nil
}

// parseRate reads bytes a second: a number with K, M or G for powers of 1024.
func parseRate(s string) (int64, error) {
	unit := int64(1)
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(s), "/S"), "B")
	digits = strings.TrimSuffix(digits, "I")
	for i, letter := range []string{"K", "M", "G"} {
		if rest, ok := strings.CutSuffix(digits, letter); ok {
			digits, unit = rest, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 1 || n > (1<<50)/unit {
		return 0, cli.Usage("--rate wants bytes a second, as in 50M, not %q", s)
	}
	return n * unit, nil
}
