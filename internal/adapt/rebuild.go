package adapt

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/fit"
)

func (s *Session) rebuild(ctx context.Context, plan *fit.Plan, step fit.Step, target Target, c Custom) error {
	return nil
}

func (s *Session) treeHoldsSystem(ctx context.Context, t tree) (bool, error) { return false, nil }
