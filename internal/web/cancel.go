package web

import (
	"net/http"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// cancelBody asks whether work shall be cancelled.
type cancelBody struct {
	CSRF string
	Path string // of the job or batch
	Rows []jobRow
	Runs int // of them, run now
	// Writes says that one of those writes to a disk.
	Writes bool
}

func showCancel(v *visit) error {
	id := v.r.PathValue("id")
	body := cancelBody{CSRF: v.csrf}
	var jobs []fleet.Job
	if v.r.URL.Path == "/jobs/"+id+"/cancel" {
		j, err := v.ctl.Job(v.r.Context(), v.actor, id)
		if err != nil {
			return err
		}
		jobs, body.Path = []fleet.Job{j}, "/jobs/"+id
	} else {
		_, all, err := v.ctl.Batch(v.r.Context(), v.actor, id)
		if err != nil {
			return err
		}
		jobs, body.Path = all, "/batches/"+id
	}
	for _, j := range jobs {
		if j.State.Ended() {
			continue
		}
		if j.State == fleet.Running {
			body.Runs++
			body.Writes = body.Writes || fleet.Writes(j.Kind)
		}
		body.Rows = append(body.Rows, newJobRow(j, v.now))
	}
	return v.render(http.StatusOK, "cancel", page{Title: "Cancel work", Nav: "batches", Body: body})
}

func cancelWork(v *visit) error {
	id := v.r.PathValue("id")
	if err := v.ctl.Cancel(v.r.Context(), v.actor, id); err != nil {
		return err
	}
	return v.redirect(parent(v.r.URL.Path), "Cancelled. Jobs that run end in good order first.")
}

func retryWork(v *visit) error {
	b, err := v.ctl.Retry(v.r.Context(), v.actor, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirect("/batches/"+b.ID, "The work was ordered again.")
}
