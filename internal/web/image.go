package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/lint"
)

// imageBody is one image.
type imageBody struct {
	CSRF     string
	Operator bool
	Admin    bool
	Row      imageRow
	Names    []imageName
	Facts    []fact
	Volumes  []control.ImageVolume
	Running  bool // it is being looked over
	Failed   string
	Looked   moment
	Findings []finding
}

// imageName is one of its names, with the page that removes it.
type imageName struct{ Name, Path string }

// finding is what a look at the image found.
type finding struct {
	lint.Finding
	Badge badge
}

func imagePath(ref string) string { return "/images/" + url.PathEscape(ref) }

func (r reader) image(ref string) (imageBody, error) {
	i, err := r.ctl.Image(r.ctx, r.actor, ref)
	if err != nil {
		return imageBody{}, err
	}
	body := imageBody{Operator: r.actor.Role.May(fleet.Operator), Admin: r.actor.Role.May(fleet.Admin), Row: newImageRow(i, r.now), Volumes: i.Volumes}
	for _, name := range i.Names {
		body.Names = append(body.Names, imageName{name, imagePath(name)})
	}
	least := size(i.Least)
	if i.Shrinks {
		least += ", perhaps smaller ones: that is measured on the machine"
	}
	body.Facts = known(
		fact{"System", i.System}, fact{"Captured", moment{i.Created, r.now}.Exact()}, fact{"Of the machine", i.Host}, fact{"Comment", i.Comment},
		fact{"Disk it came from", size(i.Disk)}, fact{"Partition table", strings.ToUpper(i.Table)}, fact{"Fits disks from", least},
		fact{"A deploy writes", size(i.Data)}, fact{"ID", i.ID})
	if i.Lint != nil {
		body.Running, body.Failed, body.Looked = i.Lint.Running, i.Lint.Error, moment{i.Lint.At, r.now}
		body.Findings = readFindings(i.Lint.Report)
	}
	return body, nil
}

// readFindings reads what 'ingot lint --json' printed. What cannot be read is none:
// the counts beside it are shown all the same.
func readFindings(report json.RawMessage) (all []finding) {
	var read struct{ Findings []lint.Finding }
	if len(report) == 0 || json.Unmarshal(report, &read) != nil {
		return nil
	}
	for _, f := range read.Findings {
		b := badge{"off", "i", "note"}
		switch f.Severity {
		case lint.Serious:
			b = badge{"bad", "✕", "serious"}
		case lint.Warning:
			b = badge{"warn", "▲", "warning"}
		}
		all = append(all, finding{f, b})
	}
	return all
}

func (b imageBody) parts() []livePart {
	return []livePart{{ID: "image-lint", Template: "image-lint", Data: b}}
}

func showImage(v *visit) error {
	body, err := v.reader().image(v.r.PathValue("ref"))
	if err != nil {
		return err
	}
	body.CSRF = v.csrf
	return v.render(http.StatusOK, "image", page{Title: body.Row.Name, Nav: "images", Live: "/events" + imagePath(body.Row.Ref),
		Up: []link{{"/images", "Images"}}, Body: body})
}

func imageLive(v *visit) func(reader) (liveBody, error) {
	ref := v.r.PathValue("ref")
	return func(r reader) (liveBody, error) { return r.image(ref) }
}

func noteImage(v *visit) error {
	ref := v.r.PathValue("ref")
	notes := strings.ReplaceAll(v.field("notes"), "\r\n", "\n")
	if err := v.ctl.SetImageNotes(v.r.Context(), v.actor, ref, notes); err != nil {
		return err
	}
	return v.redirect(imagePath(ref), "The notes were saved.")
}

func tagImage(v *visit) error {
	name, err := v.ctl.TagImage(v.r.Context(), v.actor, v.r.PathValue("ref"), v.field("name"))
	if err != nil {
		return err
	}
	return v.redirect(imagePath(name), "The image is called %s as well.", name)
}

func lintImage(v *visit) error {
	ref := v.r.PathValue("ref")
	if err := v.ctl.LintImage(v.r.Context(), v.actor, ref); err != nil {
		return err
	}
	return v.redirect(imagePath(ref), "The image is being looked over. That takes a few minutes.")
}

// imageRemoveBody asks whether a name of an image shall go.
type imageRemoveBody struct {
	CSRF string
	Name string
	Path string
	Row  imageRow
	Last bool // nothing else stands for the image
}

func showImageRemove(v *visit) error {
	name := v.r.PathValue("ref")
	i, err := v.ctl.Image(v.r.Context(), v.actor, name)
	if err != nil {
		return err
	}
	body := imageRemoveBody{CSRF: v.csrf, Name: name, Path: imagePath(name), Row: newImageRow(i, v.now), Last: len(i.Names) <= 1}
	return v.render(http.StatusOK, "image-remove", page{Title: "Remove " + name, Nav: "images", Up: []link{{"/images", "Images"}, {imagePath(name), name}}, Body: body})
}

func removeImage(v *visit) error {
	name := v.r.PathValue("ref")
	if v.field("name") != name {
		return &control.InvalidError{Field: "name", Message: "the name that was typed is not " + name + "; nothing was removed"}
	}
	if err := v.ctl.RemoveImage(v.r.Context(), v.actor, name); err != nil {
		return err
	}
	return v.redirect("/images", "The name %s was removed.", name)
}
