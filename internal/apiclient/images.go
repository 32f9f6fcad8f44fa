package apiclient

import (
	"context"
	"io"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
)

// Images are all images, newest first.
func (c *Client) Images(ctx context.Context) ([]control.Image, error) {
	return items(get[message.List[control.Image]](ctx, c, nil, "images"))
}

// Image finds an image by name:tag, name or ID.
func (c *Client) Image(ctx context.Context, ref string) (control.Image, error) {
	return get[control.Image](ctx, c, nil, "images", ref)
}

// SetImageNotes replaces what people wrote about an image.
func (c *Client) SetImageNotes(ctx context.Context, ref, notes string) error {
	return c.put(ctx, message.Notes{Notes: notes}, "images", ref, "notes")
}

// TagImage gives an image another name, and returns it whole.
func (c *Client) TagImage(ctx context.Context, ref, name string) (string, error) {
	n, err := post[message.Name](ctx, c, message.Name{Name: name}, "images", ref, "names")
	return n.Name, err
}

// RemoveImage removes a name of an image.
func (c *Client) RemoveImage(ctx context.Context, name string) error {
	return c.remove(ctx, "images", name)
}

// LintImage starts to look an image over.
func (c *Client) LintImage(ctx context.Context, ref string) error {
	return c.post(ctx, nil, "images", ref, "lint")
}

// Profiles are all profiles.
func (c *Client) Profiles(ctx context.Context) ([]control.Profile, error) {
	return items(get[message.List[control.Profile]](ctx, c, nil, "profiles"))
}

// Profile is a profile with its text.
func (c *Client) Profile(ctx context.Context, name string) (control.Profile, error) {
	return get[control.Profile](ctx, c, nil, "profiles", name)
}

const yamlContent = "application/yaml"

// PutProfile makes a profile or replaces its text.
func (c *Client) PutProfile(ctx context.Context, name string, yaml io.Reader) error {
	return c.call(ctx, request{method: http.MethodPut, path: []string{"profiles", name}, raw: yaml, kind: yamlContent}, nil)
}

// PutProfileFolder makes or replaces a profile with all its files, from a tar.
func (c *Client) PutProfileFolder(ctx context.Context, name string, folder io.Reader) error {
	return c.call(ctx, request{method: http.MethodPut, path: []string{"profiles", name, "folder"}, raw: folder, kind: "application/x-tar"}, nil)
}

// RemoveProfile removes a profile.
func (c *Client) RemoveProfile(ctx context.Context, name string) error {
	return c.remove(ctx, "profiles", name)
}

// CheckProfile says what is wrong with the text of a profile, beside the files of the
// profile that is called name; "" for none.
func (c *Client) CheckProfile(ctx context.Context, name string, yaml io.Reader) ([]message.Field, error) {
	var out message.Checked
	err := c.call(ctx, request{method: http.MethodPost, path: []string{"profiles", "check"}, query: query("name", name), raw: yaml, kind: yamlContent}, &out)
	return out.Problems, err
}
