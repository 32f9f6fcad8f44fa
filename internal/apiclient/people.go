package apiclient

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Self is whose the token is, and the server's version.
func (c *Client) Self(ctx context.Context) (message.Self, error) {
	return get[message.Self](ctx, c, nil, "self")
}

// Stats are numbers of the server.
func (c *Client) Stats(ctx context.Context) (control.Stats, error) {
	return get[control.Stats](ctx, c, nil, "stats")
}

// Users are all users.
func (c *Client) Users(ctx context.Context) ([]fleet.User, error) {
	return items(get[message.List[fleet.User]](ctx, c, nil, "users"))
}

// AddUser makes a user.
func (c *Client) AddUser(ctx context.Context, name string, role fleet.Role, password string) (fleet.User, error) {
	return post[fleet.User](ctx, c, message.NewUser{Name: name, Role: role, Password: password}, "users")
}

// SetRole gives a user another role.
func (c *Client) SetRole(ctx context.Context, user string, role fleet.Role) error {
	return c.put(ctx, message.Role{Role: role}, "users", user, "role")
}

// SetPassword gives a user another password.
func (c *Client) SetPassword(ctx context.Context, user, password string) error {
	return c.put(ctx, message.Password{Password: password}, "users", user, "password")
}

// SetDisabled keeps a user from logging in, or lets them in again.
func (c *Client) SetDisabled(ctx context.Context, user string, disabled bool) error {
	return c.put(ctx, message.Disabled{Disabled: disabled}, "users", user, "disabled")
}

// RemoveUser removes a user.
func (c *Client) RemoveUser(ctx context.Context, user string) error {
	return c.remove(ctx, "users", user)
}

// Tokens are the credentials of programs.
func (c *Client) Tokens(ctx context.Context) ([]fleet.Token, error) {
	return items(get[message.List[fleet.Token]](ctx, c, nil, "tokens"))
}

// AddToken makes a token, which lasts for ttl; 0 is for ever.
func (c *Client) AddToken(ctx context.Context, name string, role fleet.Role, ttl time.Duration) (message.Secret, error) {
	return post[message.Secret](ctx, c, message.NewToken{Name: name, Role: role, TTL: int64(ttl / time.Second)}, "tokens")
}

// RemoveToken revokes a token.
func (c *Client) RemoveToken(ctx context.Context, id string) error {
	return c.remove(ctx, "tokens", id)
}

// Audit is a page of what was done.
func (c *Client) Audit(ctx context.Context, p control.Page) (message.Page[fleet.AuditEntry], error) {
	return get[message.Page[fleet.AuditEntry]](ctx, c, query("before", p.Before, "limit", p.Limit, "match", p.Match), "audit")
}

// Boots is a page of what machines asked for on their way to the agent.
func (c *Client) Boots(ctx context.Context, p control.Page) (message.Page[fleet.BootRecord], error) {
	return get[message.Page[fleet.BootRecord]](ctx, c, query("before", p.Before, "limit", p.Limit, "match", p.Match), "boots")
}
