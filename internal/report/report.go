// Package report shows a person how long work goes on and what it did.
//
// Show draws progress.Work while it runs: on a terminal a picture that is
// redrawn in place, elsewhere a line now and then. The rest of the package turns
// byte counts and times into text, the same everywhere. It decides nothing and
// never fails: a display that cannot be written is no reason to stop work.
package report

import (
	"fmt"
	"time"
)

// Bytes is n in binary units, with one digit behind the point: "4.1 GiB".
func Bytes(n int64) string {
	const units = "KMGTPE"
	v, i := float64(n)/1024, 0
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	for v >= 1023.95 && i < len(units)-1 { // what would be printed as 1024.0
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}

// Duration is d as exact as somebody waiting wants it: "0.4 s", "42 s",
// "3 min 5 s", "2 h 10 min".
func Duration(d time.Duration) string {
	switch s := int64(d.Round(time.Second) / time.Second); {
	case d < 10*time.Second-50*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 60*60:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

// Seconds is Duration of a number of seconds, as results carry them.
func Seconds(s float64) string { return Duration(time.Duration(s * float64(time.Second))) }

// amount is n of a stage's unit.
func amount(n int64, unit string) string {
	if unit == "" {
		return Bytes(n)
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// part is done of total, in one unit.
func part(done, total int64, unit string) string {
	if unit == "" {
		return Bytes(done) + " of " + Bytes(total)
	}
	return fmt.Sprintf("%d of %d %s", done, total, unit)
}

// percent is done of total; 100 means all.
func percent(done, total int64) int {
	if done >= total {
		return 100
	}
	return min(99, int(float64(done)/float64(total)*100))
}
