package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// pretendLint is 'ingot lint' with good and bad manners.
func pretendLint(how string) {
	switch how {
	case "":
		fmt.Fprintln(os.Stderr, "partition 2 has no fstab")
		fmt.Println(`{"subject": "/dev/vda", "systems": [], "findings": []}`)
	case "failed":
		fmt.Println(`{"error": "mount it: no such \u001b driver", "exitCode": 1}`)
		os.Exit(1)
	case "nonsense":
		fmt.Println("well, well")
	case "huge":
		fmt.Printf(`{"findings": [{"what": %q}]}`, strings.Repeat("x", wire.MaxLint))
	case "panic":
		panic("a mistake")
	case "slow":
		time.Sleep(time.Minute)
	}
}

func TestLint(t *testing.T) {
	for how, want := range map[string]string{
		"": "", "failed": "mount it: no such  driver", "nonsense": "could not be read", "huge": "more than 256000", "panic": "ended with code 2", "slow": "too long",
	} {
		t.Setenv("INGOT_PRETEND_LINT", how)
		most := 30 * time.Second
		if how == "slow" {
			most = 200 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(t.Context(), most)
		report, err := pretended().lint(ctx, "/dev/vda", func(string) {})
		cancel()
		if (err == nil) != (want == "") || (report != nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %.100s, %v", how, report, err)
		}
	}
}

// TestAgentLooksItsImageOver: the image is what the job is about; a look at it may
// fail, or be stopped.
func TestAgentLooksItsImageOver(t *testing.T) {
	for how, says := range map[string]string{"": "no fstab", "failed": "not looked over: mount it", "slow": "not looked over: interrupted"} {
		t.Run(how, func(t *testing.T) {
			t.Setenv("INGOT_PRETEND_LINT", how)
			s := newFakeServer(t)
			s.approved = true
			s.jobs = []wire.Job{{ID: "j-1", Attempt: 1, Kind: wire.Capture, Image: "done", Then: wire.Stay}}
			startAgent(t, s)
			if how == "slow" {
				s.await(t, "the look", func() bool {
					s.stop = len(s.reports) > 0 && s.reports[len(s.reports)-1].Progress.Phase == "looking the image over"
					return s.stop
				})
			}
			s.await(t, "the end", func() bool { return len(s.finished) == 1 })
			s.mu.Lock()
			defer s.mu.Unlock()
			r := s.finished["j-1"]
			log := r.Log
			for _, p := range s.reports {
				log = append(log, p.Log...)
			}
			if r.Outcome != wire.Done || r.Image != "abc" || json.Valid(r.Lint) != (how == "") || r.Progress.Done != 5 || !strings.Contains(fmt.Sprint(log), says) {
				t.Errorf("%+v, %v", r, log)
			}
		})
	}
}
