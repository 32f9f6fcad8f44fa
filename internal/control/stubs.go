package control

import (
	"context"
	"errors"
	"io"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// Images are all images, newest first.
func (c *Control) Images(ctx context.Context, actor fleet.Actor) ([]Image, error) {
	return nil, errNotYet
}

// Image finds an image by name:tag, name or ID.
func (c *Control) Image(ctx context.Context, actor fleet.Actor, ref string) (Image, error) {
	return Image{}, errNotYet
}

// SetImageNotes replaces what people wrote about an image.
func (c *Control) SetImageNotes(ctx context.Context, actor fleet.Actor, ref, notes string) error {
	return errNotYet
}

// TagImage gives an image another name, "lab-pc" or "lab-pc:final", and returns it
// whole.
func (c *Control) TagImage(ctx context.Context, actor fleet.Actor, ref, name string) (string, error) {
	return "", errNotYet
}

// RemoveImage removes a name of an image, "lab-pc:v3"; what no name stands for goes
// with the next clean-up.
func (c *Control) RemoveImage(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// LintImage starts to look an image over. The end of it is an event.
func (c *Control) LintImage(ctx context.Context, actor fleet.Actor, ref string) error {
	return errNotYet
}

// Profiles are all profiles, by name.
func (c *Control) Profiles(ctx context.Context, actor fleet.Actor) ([]Profile, error) {
	return nil, errNotYet
}

// Profile is one profile with its text and files.
func (c *Control) Profile(ctx context.Context, actor fleet.Actor, name string) (Profile, error) {
	return Profile{}, errNotYet
}

// PutProfile makes a profile or replaces its text; its other files stay. What is
// wrong with it is a *ProfileError.
func (c *Control) PutProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) error {
	return errNotYet
}

// PutProfileFolder makes or replaces a profile with all its files, from a tar with
// profile.yaml at its top.
func (c *Control) PutProfileFolder(ctx context.Context, actor fleet.Actor, name string, folder io.Reader) error {
	return errNotYet
}

// RemoveProfile removes a profile with its files.
func (c *Control) RemoveProfile(ctx context.Context, actor fleet.Actor, name string) error {
	return errNotYet
}

// ProfileTar writes a profile's folder to w, for an agent that JobProfile let have
// it.
func (c *Control) ProfileTar(ctx context.Context, name string, w io.Writer) error { return errNotYet }

// CheckProfile says what is wrong with the text of a profile. Files beside it are
// those that the profile of that name has; "": none.
func (c *Control) CheckProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) ([]profile.Problem, error) {
	return nil, errNotYet
}

func (p profileFolders) load(name string) (*profile.Document, error) { return nil, errNotYet }

var errNotYet = errors.New("not there yet")
