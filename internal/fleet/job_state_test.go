package fleet

import (
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestTransitions has every state and event, one line a state, so that a change of
// the table is seen here.
func TestTransitions(t *testing.T) {
	const no = JobState("")
	//                TimeCame Taken    Heard     WasDone WasFailed WasStopped TryAgain Lost       LostAtLast CancelIt   CannotRun
	want := map[JobState][]JobState{
		Scheduled: {Queued, no, no, no, no, no, no, no, no, Cancelled, Failed},
		Queued:    {no, Running, Running, Done, Failed, Cancelled, Queued, no, no, Cancelled, Failed},
		Running:   {no, no, Running, Done, Failed, Cancelled, Queued, Queued, Failed, Stopping, no},
		Stopping:  {no, no, Stopping, Done, Failed, Cancelled, Failed, Cancelled, Cancelled, Stopping, no},
		Done:      {no, no, no, no, no, no, no, no, no, no, no},
		Failed:    {no, no, no, no, no, no, no, no, no, no, no},
		Cancelled: {no, no, no, no, no, no, no, no, no, no, no},
	}
	if len(want) != len(JobStates()) {
		t.Fatalf("%d states are tested, there are %d", len(want), len(JobStates()))
	}
	for _, s := range JobStates() {
		if len(want[s]) != len(JobEvents()) {
			t.Fatalf("%s: %d events are tested, there are %d", s, len(want[s]), len(JobEvents()))
		}
		for i, e := range JobEvents() {
			next, ok := s.Next(e)
			if ok != (want[s][i] != no) || ok && next != want[s][i] || !ok && next != s {
				t.Errorf("%s, %s: %s %v, want %q", s, e, next, ok, want[s][i])
			}
		}
		if s.Ended() == contains(OpenStates(), s) {
			t.Errorf("%s is both open and final, or neither", s)
		}
	}
}

func contains(all []JobState, s JobState) bool {
	for _, one := range all {
		if one == s {
			return true
		}
	}
	return false
}

func start() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func runningJob(t *testing.T) Job {
	t.Helper()
	j := Job{ID: "j-a", Kind: wire.Deploy, State: Queued}
	if !j.Take("boot1", []byte("hash"), start()) {
		t.Fatal("a queued job cannot be taken")
	}
	return j
}

func TestLoseAndTryAgain(t *testing.T) {
	j, now := runningJob(t), start()
	for attempt := 1; attempt < DefaultAttempts; attempt++ {
		if !j.Lose("no word for 90 s", DefaultAttempts, now) || j.State != Queued || j.Attempt != attempt {
			t.Fatalf("attempt %d: %+v", attempt, j)
		}
		if j.Take("boot2", nil, now) {
			t.Fatal("it was taken before its wait was over")
		}
		now = j.NotBefore
		if !j.Take("boot2", nil, now) {
			t.Fatal("it cannot be taken again")
		}
	}
	if !j.Lose("no word for 90 s", DefaultAttempts, now) || j.State != Failed || j.Why != "lost: no word for 90 s" {
		t.Fatalf("%+v", j)
	}
	if j.Result.Target != wire.Unfinished || j.Result.Outcome != wire.Failed || j.Result.Hint == "" {
		t.Errorf("%+v", j.Result)
	}
}

func TestTheLostAgentWorksOn(t *testing.T) {
	j := runningJob(t)
	j.Lose("no word", 3, start())
	if j.Hear("boot2", 1, start()) || j.Hear("boot1", 2, start()) {
		t.Error("another agent's word counts")
	}
	if !j.Hear("boot1", 1, start()) || j.State != Running || j.Attempt != 1 {
		t.Errorf("%+v", j)
	}
	j.Lose("no word", 3, start())
	j.Take("boot2", nil, j.NotBefore)
	if j.Hear("boot1", 1, start()) || j.Finish("boot1", wire.Result{Attempt: 1, Outcome: wire.Done}, 3, start()) {
		t.Error("the lost agent's word counts although another one took the job")
	}
}

func TestFinish(t *testing.T) {
	for _, c := range []struct {
		name    string
		result  wire.Result
		cancel  bool
		attempt int
		state   JobState
	}{
		{"done", wire.Result{Outcome: wire.Done}, false, 1, Done},
		{"done although cancelled", wire.Result{Outcome: wire.Done}, true, 1, Done},
		{"failed", wire.Result{Outcome: wire.Failed, Exit: 1}, false, 1, Failed},
		{"worth a retry", wire.Result{Outcome: wire.Failed, Exit: 1, Retry: true}, false, 1, Queued},
		{"for the last time", wire.Result{Outcome: wire.Failed, Exit: 1, Retry: true}, false, 3, Failed},
		{"usage", wire.Result{Outcome: wire.Failed, Exit: 2, Retry: true}, false, 1, Failed},
		{"refused", wire.Result{Outcome: wire.Failed, Exit: 3, Retry: true}, false, 1, Failed},
		{"integrity", wire.Result{Outcome: wire.Failed, Exit: 4, Retry: true}, false, 1, Failed},
		{"failed although cancelled", wire.Result{Outcome: wire.Failed, Exit: 1, Retry: true}, true, 1, Failed},
		{"stopped as asked", wire.Result{Outcome: wire.Cancelled}, true, 1, Cancelled},
		{"stopped at the machine", wire.Result{Outcome: wire.Cancelled}, false, 1, Cancelled},
		{"an unknown word", wire.Result{Outcome: "great"}, false, 1, Failed},
	} {
		j := runningJob(t)
		j.Attempt = c.attempt
		if c.cancel {
			j.Cancel("cancelled by anna", start())
		}
		c.result.Attempt = c.attempt
		if !j.Finish("boot1", c.result, 3, start()) || j.State != c.state {
			t.Errorf("%s: %s, want %s", c.name, j.State, c.state)
		}
		if !j.Finished(c.attempt) || j.Finished(c.attempt+1) || j.TokenHash != nil {
			t.Errorf("%s: the end is not known: %+v", c.name, j)
		}
		if j.State.Ended() == j.Ended.IsZero() {
			t.Errorf("%s: ended %v", c.name, j.Ended)
		}
	}
}

func TestCancel(t *testing.T) {
	j := Job{Kind: wire.Deploy, State: Queued}
	if j.Cancel("cancelled by anna", start()); j.State != Cancelled || j.Result.Target != wire.Untouched {
		t.Errorf("%+v", j)
	}
	j = runningJob(t)
	if j.Cancel("cancelled by anna", start()); j.State != Stopping {
		t.Errorf("%+v", j)
	}
	if !j.Hear("boot1", 1, start()) || j.State != Stopping || j.Why != "cancelled by anna" {
		t.Errorf("%+v", j)
	}
	if j.Lose("no word for 90 s", 3, start()); j.State != Cancelled || j.Result.Target != wire.Unfinished {
		t.Errorf("%+v", j)
	}
	j = runningJob(t)
	j.Finish("boot1", wire.Result{Attempt: 1, Outcome: wire.Failed, Retry: true, Target: wire.Unfinished}, 3, start())
	if j.Cancel("cancelled by anna", start()); j.State != Cancelled || j.Result.Target != wire.Unfinished {
		t.Errorf("what the first attempt left is forgotten: %+v", j.Result)
	}
	if j.Cancel("cancelled by eve", start()) || j.Result.Error != "cancelled by anna" {
		t.Error("a final state changed")
	}
}

func TestDue(t *testing.T) {
	at := start()
	for _, j := range []Job{{State: Scheduled, NotBefore: at}, {State: Queued, WakeAt: at}, {State: Running, Lease: at}, {State: Stopping, Lease: at}} {
		if j.Due() != at {
			t.Errorf("%s: due %v", j.State, j.Due())
		}
	}
	for _, s := range []JobState{Done, Failed, Cancelled} {
		if j := (Job{State: s, NotBefore: at, WakeAt: at, Lease: at}); !j.Due().IsZero() {
			t.Errorf("%s: due %v", s, j.Due())
		}
	}
}
