package control

import (
	"time"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Profile is a profile as a server keeps it: a folder with a file profile.yaml.
type Profile struct {
	Name         string            `json:"name"`
	Modified     time.Time         `json:"modified"`
	Placeholders []string          `json:"placeholders,omitempty"`
	Problems     []profile.Problem `json:"problems,omitempty"`
	Machines     int               `json:"machines"`        // in its table
	YAML         string            `json:"yaml,omitempty"`  // of Control.Profile alone
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
	if len(e.Problems) == 0 {
		return "profile " + e.Name + " was not taken"
	}
	return "profile " + e.Name + ": " + e.Problems[0].String()
}
