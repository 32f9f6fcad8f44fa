package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// job runs one job to its end. ctx is the agent's, jobCtx ends when the job shall.
func (a *Agent) job(ctx, jobCtx context.Context, job wire.Job, session string) wire.Result {
	a.tell(ctx, fmt.Sprintf("job %s, attempt %d: %s %s", job.ID, job.Attempt, job.Kind, job.Title))
	a.progress(ctx, wire.Progress{Phase: "looking at the disks", Left: -1})
	if err := a.look(jobCtx); err != nil {
		r := refusal(err, "A disk that fails may take minutes to answer: look at the cables, or pull it out.")
		r.Exit, r.Retry = wire.ExitFailed, true
		return interrupted(jobCtx, r)
	}
	if job.Kind == wire.Look {
		return a.looked()
	}
	disk, err := pickDisk(job.Disk, a.facts().Disks)
	if err != nil {
		return interrupted(jobCtx, refusal(err, "Choose the disk by its path or serial number, or by 'largest' or 'smallest'."))
	}
	if err := isPlanned(disk, job.DiskSize); err != nil {
		return interrupted(jobCtx, refusal(err, "Look at the disks that the machine has now, and retry the job: it is planned anew."))
	}
	profile, err := a.profile(jobCtx, job, session)
	if err != nil {
		r := refusal(err, "")
		r.Exit = wire.ExitFailed
		r.Retry = !permanent(err)
		return interrupted(jobCtx, r)
	}
	args, err := arguments(job, a.Config.Server, disk.Path, profile)
	if err != nil {
		return refusal(err, "")
	}
	a.tell(ctx, "ingot "+strings.Join(withoutValues(args), " "))
	a.progress(ctx, wire.Progress{Phase: "planning", Left: -1})
	c := a.child
	c.env = []string{"INGOT_TOKEN=" + job.Token, "INGOT_FINGERPRINT=" + a.Config.Fingerprint}
	var last wire.Progress
	e := c.run(jobCtx, args, func(p wire.Progress) { last = p; a.progress(ctx, p) }, func(line string) { a.tell(ctx, line) })
	r := judge(job.Kind, e)
	if job.Kind == wire.Capture && r.Outcome == wire.Done {
		last.Phase, last.Rate, last.Left = "looking the image over", 0, -1
		a.progress(ctx, last)
		r.Lint = a.lint(ctx, jobCtx, disk.Path)
	}
	// An attempt that did not come to writing leaves what an earlier one began.
	if r.Outcome != wire.Done && r.Target == wire.Untouched && job.Kind == wire.Deploy && strings.HasPrefix(disk.Holds, unfinishedPrefix) {
		r.Target = wire.Unfinished
	}
	go func() { _ = a.look(ctx) }() // it tells
	return r
}

// interrupted marks a result that is one because the job was to end.
func interrupted(jobCtx context.Context, r wire.Result) wire.Result {
	if jobCtx.Err() != nil {
		r.Exit, r.Error = wire.ExitInterrupted, "interrupted"
	}
	return r
}

// refusal is a job that did not begin.
func refusal(err error, hint string) wire.Result {
	return wire.Result{Outcome: wire.Failed, Exit: wire.ExitRefused, Target: wire.Untouched, Error: err.Error(), Hint: hint}
}

// looked ends an inventory: its result is what the server gets with the next Hello
// as well.
func (a *Agent) looked() wire.Result {
	b, err := json.Marshal(a.facts())
	if err != nil {
		return refusal(err, "")
	}
	return wire.Result{Outcome: wire.Done, Target: wire.Untouched, Detail: b}
}

// permanent reports whether the server said no, in a way that stays. A session ends
// when the agent says hello again, which it does by itself.
func permanent(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.code < http.StatusInternalServerError && status.code != http.StatusTooManyRequests && status.code != http.StatusUnauthorized ||
		errors.Is(err, errArchive)
}

// profile fetches the profile of a job and returns its file, "" when it has none.
func (a *Agent) profile(ctx context.Context, job wire.Job, session string) (string, error) {
	if job.Deploy == nil || !job.Deploy.Profile {
		return "", nil
	}
	dir := filepath.Join(a.Work, "profile")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, profileMost)
	defer cancel()
	resp, err := a.client.send(ctx, http.MethodGet, jobPath(wire.ProfilePath, job.ID), session, nil)
	if err != nil {
		return "", fmt.Errorf("fetch the profile: %w", err)
	}
	defer resp.Body.Close()
	if err := unpack(resp.Body, dir); err != nil {
		return "", fmt.Errorf("fetch the profile: %w", err)
	}
	file := filepath.Join(dir, "profile.yaml")
	if _, err := os.Stat(file); err != nil {
		return "", fmt.Errorf("%w: it has no profile.yaml", errArchive)
	}
	return file, nil
}

// profileMost is enough for a gigabyte of drivers over a bad line.
const profileMost = 15 * time.Minute

func (a *Agent) progress(ctx context.Context, p wire.Progress) { a.post(ctx, progressed{p}) }

// tell adds a line to the log of the job.
func (a *Agent) tell(ctx context.Context, line string) {
	a.board.log(line)
	a.post(ctx, logged{wire.LogLine{At: time.Now(), Text: line}})
}

// withoutValues are arguments as a log has them: what is given for a placeholder may
// be for one machine's eyes.
func withoutValues(args []string) []string {
	shown := slices.Clone(args)
	for i := 1; i < len(shown); i++ {
		if name, _, ok := strings.Cut(shown[i], "="); ok && shown[i-1] == "--set" {
			shown[i] = name + "=..."
		}
	}
	return shown
}
