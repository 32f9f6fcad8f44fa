package control

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Settings are policies of a server.
type Settings struct {
	// Sticks says what agents may do that started without the server, from a USB stick
	// or DVD, and so have no secret of their boot.
	Sticks StickPolicy `json:"sticks"`
	// Pending bounds the machines that wait to be looked at; the oldest are forgotten.
	Pending int `json:"pending"`
}

// StickPolicy is what agents without a secret may do.
type StickPolicy string

// Policies. An approved machine is told from others by its serial numbers, which
// whoever sits at it can read.
const (
	SticksRefused  StickPolicy = "refused"  // nothing
	SticksPending  StickPolicy = "pending"  // be seen; each start of one must be approved
	SticksApproved StickPolicy = "approved" // work, when their machine was approved
)

// settingsName is what they are kept as.
const settingsName = "settings"

// readSettings are those that were kept, or those of a new server.
func readSettings(ctx context.Context, r Records) (Settings, error) {
	s := Settings{Sticks: SticksPending, Pending: defaultPending}
	text, err := r.Setting(ctx, settingsName)
	if errors.Is(err, ErrNoRecord) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// Settings are the server's policies.
func (c *Control) Settings(ctx context.Context, actor fleet.Actor) (Settings, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return Settings{}, err
	}
	return readSettings(ctx, c.records)
}

// SetSettings replaces the server's policies.
func (c *Control) SetSettings(ctx context.Context, actor fleet.Actor, s Settings) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	d := deed{actor: actor, need: fleet.Admin, action: "settings.set", detail: string(text)}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if s.Sticks != SticksRefused && s.Sticks != SticksPending && s.Sticks != SticksApproved {
			return &InvalidError{"sticks", "want refused, pending or approved"}
		}
		if s.Pending < 10 || s.Pending > fleet.MaxBatch {
			return &InvalidError{"pending", "from 10 to 10000 machines"}
		}
		return r.PutSetting(ctx, fleet.Setting{Name: settingsName, Value: string(text)})
	})
}
