package web

import (
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// imagesBody is the list of images.
type imagesBody struct {
	Operator bool
	Rows     []imageRow
	Data     int64 // of all, as deploys write it
}

// imageRow is an image in a list.
type imageRow struct {
	ID, Ref string // Ref is what its pages are called by
	Name    string // its newest
	Others  []string
	Created moment
	System  string
	Disk    int64
	Data    int64
	Own     int64
	Shared  int // percent of Data that other images have as well, or compression saves; -1: not known
	Lint    badge
	Notes   string
	Single  bool
}

func newImageRow(i control.Image, now time.Time) imageRow {
	row := imageRow{ID: i.ID, Ref: i.ID, Name: shortID(i.ID), Created: moment{i.Created, now}, System: i.System, Disk: i.Disk, Data: i.Data, Own: i.Own,
		Shared: -1, Lint: lintBadge(i.Lint), Notes: i.Notes, Single: i.Single}
	if len(i.Names) > 0 {
		row.Ref, row.Name, row.Others = i.Names[0], i.Names[0], i.Names[1:]
	}
	if i.Own >= 0 && i.Data > 0 {
		row.Shared = 100 - int(min(i.Own*100/i.Data, 100))
	}
	return row
}

// shortID is enough of an image's ID to tell it from others, and for commands.
func shortID(id string) string { return id[:min(len(id), 12)] }

func lintBadge(l *control.LintSummary) badge {
	switch {
	case l == nil:
		return badge{"off", "–", "not looked over"}
	case l.Running:
		return badge{"busy", "▶", "being looked over"}
	case l.Error != "":
		return badge{"bad", "✕", "could not be looked over"}
	case l.Errors > 0:
		return badge{"bad", "✕", counted(l.Errors, "serious finding", "serious findings")}
	case l.Warnings > 0:
		return badge{"warn", "▲", counted(l.Warnings, "warning", "warnings")}
	}
	return badge{"good", "✓", "nothing found"}
}

func (r reader) images() (liveBody, error) {
	images, err := r.ctl.Images(r.ctx, r.actor)
	body := imagesBody{Operator: r.actor.Role.May(fleet.Operator)}
	for _, i := range images {
		body.Rows = append(body.Rows, newImageRow(i, r.now))
		body.Data += i.Data
	}
	return body, err
}

func (b imagesBody) parts() []livePart {
	return []livePart{{ID: "images", Template: "image-list", Data: b}}
}

func showImages(v *visit) error {
	body, err := v.reader().images()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "images", page{Title: "Images", Nav: "images", Live: "/events/images", Body: body})
}

func imagesLive(*visit) func(reader) (liveBody, error) { return reader.images }
