package fleet

// Ended reports whether a state is final.
func (s JobState) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Active reports whether an agent has the job.
func (s JobState) Active() bool { return s == Running || s == Stopping }

// JobStates are all states, in the order of a job's life.
func JobStates() []JobState {
	return []JobState{Scheduled, Queued, Running, Stopping, Done, Failed, Cancelled}
}

// OpenStates are those that are not final.
func OpenStates() []JobState { return []JobState{Scheduled, Queued, Running, Stopping} }

// JobEvent is what happens to a job.
type JobEvent string

// What can happen to a job.
const (
	TimeCame   JobEvent = "its time came"
	Taken      JobEvent = "an agent took it"
	Heard      JobEvent = "its agent reported"
	WasDone    JobEvent = "its agent was done"
	WasFailed  JobEvent = "its agent failed"
	WasStopped JobEvent = "its agent stopped"
	TryAgain   JobEvent = "its agent failed, and may try again"
	Lost       JobEvent = "its agent was not heard of, and may try again"
	LostAtLast JobEvent = "its agent was not heard of, for the last time"
	CancelIt   JobEvent = "somebody cancelled it"
	CannotRun  JobEvent = "it cannot run as it is"
)

// JobEvents are all events.
func JobEvents() []JobEvent {
	return []JobEvent{TimeCame, Taken, Heard, WasDone, WasFailed, WasStopped, TryAgain, Lost, LostAtLast, CancelIt, CannotRun}
}

// nextStates is the whole life of a job: what is not in it does not happen. A final
// state has no row, so that it never changes. A job in Queued can hear of the agent
// that it was lost by, which works on as long as nobody else took it.
func nextStates() map[JobState]map[JobEvent]JobState {
	return map[JobState]map[JobEvent]JobState{
		Scheduled: {
			TimeCame:  Queued,
			CancelIt:  Cancelled,
			CannotRun: Failed,
		},
		Queued: {
			Taken:      Running,
			Heard:      Running,
			WasDone:    Done,
			WasFailed:  Failed,
			WasStopped: Cancelled,
			TryAgain:   Queued,
			CancelIt:   Cancelled,
			CannotRun:  Failed,
		},
		Running: {
			Heard:      Running,
			WasDone:    Done,
			WasFailed:  Failed,
			WasStopped: Cancelled,
			TryAgain:   Queued,
			Lost:       Queued,
			LostAtLast: Failed,
			CancelIt:   Stopping,
		},
		Stopping: {
			Heard:      Stopping,
			WasDone:    Done,
			WasFailed:  Failed,
			WasStopped: Cancelled,
			TryAgain:   Failed,
			Lost:       Cancelled,
			LostAtLast: Cancelled,
			CancelIt:   Stopping,
		},
	}
}

// Next is the state that follows s when e happens; false when e cannot happen to a
// job in s, which stays as it is then.
func (s JobState) Next(e JobEvent) (JobState, bool) {
	next, ok := nextStates()[s][e]
	if !ok {
		return s, false
	}
	return next, true
}
