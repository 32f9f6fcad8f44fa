package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// size is bytes for people: "118 GiB". Three digits are enough to compare.
func size(bytes int64) string {
	if bytes < 1024 {
		return strconv.FormatInt(max(bytes, 0), 10) + " B"
	}
	units := []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	value, unit := float64(bytes)/1024, 0
	for value >= 999.5 && unit < len(units)-1 {
		value /= 1024
		unit++
	}
	switch {
	case value < 9.995:
		return fmt.Sprintf("%.2f %s", value, units[unit])
	case value < 99.95:
		return fmt.Sprintf("%.1f %s", value, units[unit])
	}
	return fmt.Sprintf("%.0f %s", value, units[unit])
}

func rate(bytesPerSecond int64) string {
	if bytesPerSecond <= 0 {
		return ""
	}
	return size(bytesPerSecond) + "/s"
}

// span is a duration for people: "41 s", "3 min 20 s", "2 h 5 min", "3 days".
func span(d time.Duration) string {
	seconds := int64(d.Round(time.Second) / time.Second)
	switch {
	case seconds < 1:
		return "under 1 s"
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return pair(seconds/60, "min", seconds%60, "s")
	case seconds < 2*86400:
		return pair(seconds/3600, "h", seconds%3600/60, "min")
	}
	return fmt.Sprintf("%d days", seconds/86400)
}

func pair(big int64, bigUnit string, small int64, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", big, bigUnit)
	}
	return fmt.Sprintf("%d %s %d %s", big, bigUnit, small, smallUnit)
}

// moment is a time as a page shows it: how long ago, and exactly.
type moment struct{ at, now time.Time }

// Set reports whether there is a time to show.
func (m moment) Set() bool { return !m.at.IsZero() }

// Machine is the time for programs.
func (m moment) Machine() string { return m.at.UTC().Format(time.RFC3339) }

// Exact is the time with the server's zone.
func (m moment) Exact() string { return m.at.In(m.now.Location()).Format("2 Jan 2006, 15:04:05 MST") }

// Relative is how long ago, or in how long.
func (m moment) Relative() string {
	d := m.now.Sub(m.at)
	switch {
	case d < -time.Minute:
		return "in " + coarse(-d)
	case d < 10*time.Second:
		return "just now"
	case d < 30*24*time.Hour:
		return coarse(d) + " ago"
	}
	return m.at.In(m.now.Location()).Format("2 Jan 2006")
}

// coarse is a duration in one unit. The script does the same, see ingot.js.
func coarse(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second/10*10)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// counted is a number with its noun: "1 machine", "2 machines".
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// percent is done of total, 0 to 100; -1 when nobody knows. Work that is not
// finished is never at 100.
func percent(done, total int64) int {
	if total <= 0 {
		return -1
	}
	return int(min(max(float64(done)/float64(total)*100, 0), 99))
}

// inert makes what a machine or a person wrote safe to look at: characters that
// move the cursor or turn the direction of text are shown as such. html/template
// has made it safe as HTML.
func inert(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return r
		case r < 0x20, r >= 0x7f && r < 0xa0, // C0, C1
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // turn what follows
			return '\uFFFD'
		}
		return r
	}, s)
}

// badge is a state as text with a shape; colours come from its class.
type badge struct{ Class, Shape, Text string }

func jobBadge(s fleet.JobState) badge {
	switch s {
	case fleet.Done:
		return badge{"good", "✓", "done"}
	case fleet.Failed:
		return badge{"bad", "✕", "failed"}
	case fleet.Cancelled:
		return badge{"off", "■", "cancelled"}
	case fleet.Running:
		return badge{"busy", "▶", "running"}
	case fleet.Stopping:
		return badge{"warn", "■", "stopping"}
	case fleet.Scheduled:
		return badge{"wait", "◷", "scheduled"}
	}
	return badge{"wait", "○", "waiting"}
}
