package fleet

import (
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Attempts a job has when its batch does not say, and at most.
const (
	DefaultAttempts = 3
	MaxAttempts     = 10
)

// How long a job waits before it is tried again: each time three times longer.
const (
	firstBackoff = 10 * time.Second
	maxBackoff   = 5 * time.Minute
)

// Backoff is how long to wait after so many attempts.
func Backoff(attempts int) time.Duration {
	wait := firstBackoff
	for range min(max(attempts-1, 0), 8) {
		wait *= 3
	}
	return min(wait, maxBackoff)
}

// become makes the step that e is, false when there is none.
func (j *Job) become(e JobEvent, now time.Time, why string) bool {
	next, ok := j.State.Next(e)
	if !ok {
		return false
	}
	j.State, j.Why = next, why
	if next.Ended() {
		j.Ended, j.TokenHash, j.WakeAt = now, nil, time.Time{}
	}
	return true
}

// Wait makes a job whose time came wait for its machine.
func (j *Job) Wait(now time.Time) bool {
	if !j.become(TimeCame, now, "waits for the machine") {
		return false
	}
	j.NotBefore = time.Time{}
	return true
}

// Take gives a queued job to an agent, as one more attempt.
func (j *Job) Take(boot string, tokenHash []byte, now time.Time) bool {
	if j.State != Queued || now.Before(j.NotBefore) || !j.become(Taken, now, "") {
		return false
	}
	j.Attempt++
	j.Boot, j.TokenHash = boot, tokenHash
	j.Lease = now.Add(wire.Lease)
	j.Seq, j.Progress, j.NotBefore, j.WakeAt = 0, wire.Progress{Left: -1}, time.Time{}, time.Time{}
	if j.Started.IsZero() {
		j.Started = now
	}
	return true
}

// Has reports whether attempt is the one that runs, or that ran last and was lost,
// and boot the agent's that has it.
func (j Job) Has(boot string, attempt int) bool {
	return boot != "" && j.Boot == boot && j.Attempt == attempt && !j.State.Ended() && j.State != Scheduled
}

// Hear renews the lease of the agent that has the job, or had it and was lost while
// nobody else took the job.
func (j *Job) Hear(boot string, attempt int, now time.Time) bool {
	if !j.Has(boot, attempt) {
		return false
	}
	why := ""
	if j.State == Stopping {
		why = j.Why
	}
	if !j.become(Heard, now, why) {
		return false
	}
	j.Lease, j.NotBefore, j.WakeAt = now.Add(wire.Lease), time.Time{}, time.Time{}
	return true
}

// Finish ends the attempt of the agent that has the job, with its word on it.
// Attempts is how many there may be.
func (j *Job) Finish(boot string, r wire.Result, attempts int, now time.Time) bool {
	if !j.Has(boot, r.Attempt) {
		return false
	}
	event, why := WasFailed, r.Error
	switch {
	case r.Outcome == wire.Done:
		event, why = WasDone, ""
	case r.Outcome == wire.Cancelled && j.State == Stopping:
		event, why = WasStopped, j.Why
	case r.Outcome == wire.Cancelled:
		event, why = WasStopped, "stopped at the machine"
	case worthRetry(r) && j.Attempt < attempts:
		event = TryAgain
	}
	if !j.become(event, now, why) {
		return false
	}
	r.Log = nil
	j.Result, j.Progress, j.TokenHash = &r, r.Progress, nil
	j.Boot = "" // who says it again is known by Finished
	if j.State == Queued {
		wait := Backoff(j.Attempt)
		j.NotBefore = now.Add(wait)
		j.Why = fmt.Sprintf("is tried again after %s: %s", wait, r.Error)
	}
	return true
}

// Finished reports whether Finish was told of this attempt already, so that a
// repetition has the same answer.
func (j Job) Finished(attempt int) bool {
	return j.Boot == "" && j.Result != nil && j.Attempt == attempt && j.Result.Attempt == attempt
}

// worthRetry leaves out what ends the same way every time, whatever an agent says.
func worthRetry(r wire.Result) bool {
	return r.Retry && r.Outcome == wire.Failed && r.Exit != wire.ExitUsage && r.Exit != wire.ExitRefused && r.Exit != wire.ExitIntegrity
}

// Lose ends an attempt that was not heard of: why, as "no word for 90 s".
func (j *Job) Lose(why string, attempts int, now time.Time) bool {
	event := Lost
	if j.Attempt >= attempts {
		event = LostAtLast
	}
	before, text := j.State, "lost: "+why
	if before == Stopping {
		text = j.Why + "; its agent did not say how it ended: " + why
	}
	if !j.become(event, now, text) {
		return false
	}
	if j.State == Queued {
		j.NotBefore = now.Add(Backoff(j.Attempt))
		return true
	}
	outcome := wire.Failed
	if before == Stopping {
		outcome = wire.Cancelled
	}
	j.Result = &wire.Result{Attempt: j.Attempt, Outcome: outcome, Error: text, Target: j.left(), Progress: j.Progress}
	if j.Attempt > 1 && outcome == wire.Failed {
		j.Result.Hint = fmt.Sprintf("it was tried %d times; look at the machine's screen, then retry it", j.Attempt)
	}
	return true
}

// Cancel ends a job that waits, and asks the agent to stop one that runs. By is who,
// as "cancelled by anna".
func (j *Job) Cancel(by string, now time.Time) bool {
	if j.State == Stopping {
		return true
	}
	if !j.become(CancelIt, now, by) {
		return false
	}
	if j.State == Cancelled {
		target := wire.Untouched
		if j.Attempt > 0 {
			target = j.left()
		}
		j.Result = &wire.Result{Attempt: j.Attempt, Outcome: wire.Cancelled, Error: by, Target: target, Progress: j.Progress}
	}
	return true
}

// Refuse fails a job that cannot run as it is; why says what to do about it.
func (j *Job) Refuse(why string, now time.Time) bool {
	if !j.become(CannotRun, now, why) {
		return false
	}
	target := wire.Untouched
	if j.Attempt > 0 {
		target = j.left()
	}
	j.Result = &wire.Result{Attempt: j.Attempt, Outcome: wire.Failed, Exit: wire.ExitRefused, Error: why, Target: target}
	return true
}

// left is what is on the disk when nobody says so: in doubt it is unfinished.
func (j Job) left() wire.TargetState {
	if !Writes(j.Kind) {
		return wire.Untouched
	}
	if j.Result != nil && j.Result.Attempt == j.Attempt && j.Result.Target != "" {
		return j.Result.Target
	}
	return wire.Unfinished
}

// Due is when the scheduler must look at a job next although nobody says anything;
// zero when it need not.
func (j Job) Due() time.Time {
	switch j.State {
	case Scheduled:
		return j.NotBefore
	case Queued:
		return j.WakeAt
	case Running, Stopping:
		return j.Lease
	default:
		return time.Time{}
	}
}
