package control

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// AddToken makes a token for a program, and its secret, which is shown once. A ttl of
// 0 is for ever. Nobody gives a token more than their own role.
func (c *Control) AddToken(ctx context.Context, actor fleet.Actor, name string, role fleet.Role, ttl time.Duration) (fleet.Token, string, error) {
	return fleet.Token{}, "", errNotYet
}
