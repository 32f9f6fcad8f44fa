package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// ImagePath names an image in a path.
type ImagePath struct {
	Image string `path:"image" maxLength:"300" doc:"name:tag, a name (its newest version) or the first digits of an ID"`
}

type imageBody[T any] struct {
	ImagePath
	Body T
}

func addImages(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listImages", request: "GET /images", tag: tagImages, role: fleet.Viewer, summary: "all images, newest first"},
		func(ctx context.Context, actor fleet.Actor, _ *nothing) (message.List[control.Image], error) {
			return listed(ctl.Images(ctx, actor))
		})
	ask(b, operation{id: "getImage", request: "GET /images/{image}", tag: tagImages, role: fleet.Viewer, summary: "an image, with all that looking it over found"},
		func(ctx context.Context, actor fleet.Actor, in *ImagePath) (control.Image, error) {
			return ctl.Image(ctx, actor, in.Image)
		})
	act(b, operation{id: "setImageNotes", request: "PUT /images/{image}/notes", tag: tagImages, role: fleet.Operator, summary: "replace what people wrote about an image"},
		func(ctx context.Context, actor fleet.Actor, in *imageBody[message.Notes]) error {
			return ctl.SetImageNotes(ctx, actor, in.Image, in.Body.Notes)
		})
	ask(b, operation{
		id: "tagImage", request: "POST /images/{image}/names", tag: tagImages, role: fleet.Operator, status: http.StatusCreated,
		errors: []int{http.StatusConflict}, summary: "give an image another name",
		about: "A name without a tag becomes its next version. The answer is the name as it was given.",
	}, func(ctx context.Context, actor fleet.Actor, in *imageBody[message.Name]) (message.Name, error) {
		name, err := ctl.TagImage(ctx, actor, in.Image, in.Body.Name)
		return message.Name{Name: name}, err
	})
	act(b, operation{
		id: "removeImage", request: "DELETE /images/{image}", tag: tagImages, role: fleet.Admin, errors: []int{http.StatusConflict},
		summary: "remove a name of an image, name:tag; what no name stands for goes with the next clean-up",
	}, func(ctx context.Context, actor fleet.Actor, in *ImagePath) error {
		return ctl.RemoveImage(ctx, actor, in.Image)
	})
	act(b, operation{
		id: "lintImage", request: "POST /images/{image}/lint", tag: tagImages, role: fleet.Operator, status: http.StatusAccepted,
		errors: []int{http.StatusConflict}, summary: "start to look an image over", about: "Its end is an event of the topic image.",
	}, func(ctx context.Context, actor fleet.Actor, in *ImagePath) error {
		return ctl.LintImage(ctx, actor, in.Image)
	})
}
