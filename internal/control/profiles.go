package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// Profile is a profile as a server keeps it: a folder with a file profile.yaml.
type Profile struct {
	Name         string            `json:"name"`
	Modified     time.Time         `json:"modified"`
	Placeholders []string          `json:"placeholders,omitempty"`
	Problems     []profile.Problem `json:"problems,omitempty"`
	Machines     int               `json:"machines"`        // in its table
	YAML         string            `json:"yaml,omitempty"`  // of Control.Profile alone; for viewers without secrets
	Files        []ProfileFile     `json:"files,omitempty"` // of Control.Profile alone, without profile.yaml
}

// ProfileFile is a file beside a profile.
type ProfileFile struct {
	Name string `json:"name"` // with / between folders
	Size int64  `json:"bytes"`
}

// ProfileError says what is wrong with a profile that was not taken.
type ProfileError struct {
	Name     string
	Problems []profile.Problem
}

func (e *ProfileError) Error() string {
	switch len(e.Problems) {
	case 0:
		return "profile " + e.Name + " was not taken"
	case 1:
		return "profile " + e.Name + ": " + e.Problems[0].String()
	default:
		return fmt.Sprintf("profile %s: %s (and %d more)", e.Name, e.Problems[0].String(), len(e.Problems)-1)
	}
}

// Profiles are all profiles, by name.
func (c *Control) Profiles(ctx context.Context, actor fleet.Actor) ([]Profile, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	names, err := c.profiles.names()
	if err != nil {
		return nil, err
	}
	var all []Profile
	for _, name := range names {
		p, _, err := c.profile(name)
		var gone *NotFoundError
		if errors.As(err, &gone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, ctx.Err()
}

// profile is one profile without its text and files.
func (c *Control) profile(name string) (Profile, *profile.Document, error) {
	modified, err := c.profiles.modified(name)
	if err != nil {
		return Profile{}, nil, err
	}
	p := Profile{Name: name, Modified: modified}
	document, err := c.profiles.load(name)
	var broken *ProfileError
	if errors.As(err, &broken) {
		p.Problems = broken.Problems
		return p, nil, nil
	}
	if err != nil {
		return p, nil, err
	}
	p.Placeholders, p.Machines = document.Placeholders(), document.Machines()
	return p, document, nil
}

// Profile is one profile with its text and files. Who may not change it sees what it
// says without its secrets.
func (c *Control) Profile(ctx context.Context, actor fleet.Actor, name string) (Profile, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return Profile{}, err
	}
	p, document, err := c.profile(name)
	if err != nil {
		return p, err
	}
	if p.Files, err = c.profiles.files(name); err != nil {
		return p, err
	}
	var text []byte
	switch {
	case actor.Role.May(fleet.Operator):
		text, err = c.profiles.text(name)
	case document != nil:
		text, err = document.Profile.YAML()
	}
	p.YAML = string(text)
	return p, err
}

// PutProfile makes a profile or replaces its text; its other files stay. What is
// wrong with it is a *ProfileError.
func (c *Control) PutProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) error {
	return c.changeProfile(ctx, actor, "profile.put", name, func() error { return c.profiles.putText(name, yaml) })
}

// PutProfileFolder makes or replaces a profile with all its files, from a tar with
// profile.yaml at its top. It holds files and folders alone.
func (c *Control) PutProfileFolder(ctx context.Context, actor fleet.Actor, name string, folder io.Reader) error {
	return c.changeProfile(ctx, actor, "profile.put", name, func() error { return c.profiles.putFolder(ctx, name, folder) })
}

// RemoveProfile removes a profile with its files. Work that needs it and has not
// begun fails then.
func (c *Control) RemoveProfile(ctx context.Context, actor fleet.Actor, name string) error {
	return c.changeProfile(ctx, actor, "profile.remove", name, func() error { return c.profiles.remove(name) })
}

// changeProfile checks, acts on the folder, and then writes the audit entry: folders
// know no transactions, and may run once only.
func (c *Control) changeProfile(ctx context.Context, actor fleet.Actor, action, name string, change func() error) error {
	d := deed{actor: actor, need: fleet.Operator, action: action, object: "profile " + clean(name, maxName), events: []Event{{TopicProfile, name}}}
	if err := look(actor, d.need); err != nil {
		return c.do(ctx, d, nil)
	}
	err := change()
	if err != nil {
		c.note(ctx, d, resultOf(err))
		return err
	}
	return c.do(ctx, d, func(context.Context, Records, *deed) error { return nil })
}

// ProfileTar writes a profile's folder to w, for an agent that JobProfile let have
// it. A folder that is replaced meanwhile ends it with an error, and the agent asks
// again.
func (c *Control) ProfileTar(ctx context.Context, name string, w io.Writer) error {
	return c.profiles.writeTar(ctx, name, w)
}

// CheckProfile says what is wrong with the text of a profile. Files beside it are
// those that the profile of that name has; "": none.
func (c *Control) CheckProfile(ctx context.Context, actor fleet.Actor, name string, yaml []byte) ([]profile.Problem, error) {
	if err := look(actor, fleet.Operator); err != nil {
		return nil, err
	}
	_, err := c.profiles.parse(name, bytes.Clone(yaml))
	var broken *ProfileError
	if errors.As(err, &broken) {
		return broken.Problems, nil
	}
	return nil, err
}
