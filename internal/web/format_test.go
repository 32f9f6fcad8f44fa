package web

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for bytes, want := range map[int64]string{-1: "0 B", 0: "0 B", 1023: "1023 B", 1024: "1.00 KiB", 10 << 10: "10.0 KiB", 100 << 10: "100 KiB", 1023 << 10: "1.00 MiB",
		512110190592: "477 GiB", 1 << 62: "4.00 EiB"} {
		if got := size(bytes); got != want {
			t.Errorf("size(%d) = %q, want %q", bytes, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "under 1 s", 41 * time.Second: "41 s", 200 * time.Second: "3 min 20 s", 2 * time.Hour: "2 h", 125 * time.Minute: "2 h 5 min", 80 * time.Hour: "3 days"} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600))
	for d, want := range map[time.Duration]string{0: "just now", 45 * time.Second: "40 s ago", 90 * time.Minute: "1 h ago", 72 * time.Hour: "3 days ago", 40 * 24 * time.Hour: "20 Jan 2026", -9 * time.Hour: "in 9 h"} {
		if got := (moment{now.Add(-d), now}).Relative(); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
	if got := (moment{now.UTC(), now}).Exact(); got != "1 Mar 2026, 12:00:00 CET" {
		t.Error(got)
	}
}

// Work that is not finished never looks as if it was.
func TestPercent(t *testing.T) {
	for _, c := range []struct {
		done, total int64
		want        int
	}{{0, 0, -1}, {5, 0, -1}, {0, 10, 0}, {5, 10, 50}, {10, 10, 99}, {20, 10, 99}, {-5, 10, 0}, {1 << 62, 1<<62 + 1, 99}} {
		if got := percent(c.done, c.total); got != c.want {
			t.Errorf("percent(%d, %d) = %d, want %d", c.done, c.total, got, c.want)
		}
	}
}

func TestInert(t *testing.T) {
	if got := inert("a\u202eb\x1b[1m\x00c\td\n\u2067e\u200ff\u009bg"); got != "a\ufffdb\ufffd[1m\ufffdc\td\n\ufffde\u200ff\ufffdg" {
		t.Errorf("%q", got)
	}
}
