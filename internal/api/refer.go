package api

import (
	"context"
	"regexp"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// machineID is what IDs of machines look like. A machine can be named like one, too:
// the ID wins.
var machineID = regexp.MustCompile(`^m-[a-z0-9]{10}$`)

// id is the ID of a machine that is called by its ID or name.
func (b builder) id(ctx context.Context, actor fleet.Actor, machine string) (string, error) {
	if machineID.MatchString(machine) {
		return machine, nil
	}
	m, err := b.api.Control.Machine(ctx, actor, machine)
	return m.ID, err
}

func (b builder) ids(ctx context.Context, actor fleet.Actor, machines []string) ([]string, error) {
	var ids []string
	for _, m := range machines {
		id, err := b.id(ctx, actor, m)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func (b builder) withMachine(ctx context.Context, actor fleet.Actor, machine string, do func(id string) error) error {
	id, err := b.id(ctx, actor, machine)
	if err != nil {
		return err
	}
	return do(id)
}
