package adapt

import (
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/system"
)

func (s *Session) editLinux(ctx context.Context, sys *system.System, c Custom) (*customise.Report, error) {
	return nil, errors.New("not yet")
}

func (s *Session) editWindows(ctx context.Context, sys *system.System, c Custom) (*customise.Report, error) {
	return nil, errors.New("not yet")
}
