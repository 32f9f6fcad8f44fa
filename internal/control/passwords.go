package control

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// PasswordCost are the parameters of argon2id (RFC 9106).
type PasswordCost struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8
}

// DefaultCost is the second choice of RFC 9106, section 4, for servers that have
// little memory to spare.
func DefaultCost() PasswordCost { return PasswordCost{Memory: 64 << 10, Time: 3, Threads: 4} }

// hashesAtATime bounds the memory that logins take.
const hashesAtATime = 2

// Bounds of what is read of a kept hash, so that a damaged record cannot stop the
// server.
const (
	maxHashMemory = 1 << 20 // KiB
	maxHashTime   = 64
	saltBytes     = 16
	hashBytes     = 32
)

// passwords hashes and checks passwords.
type passwords struct {
	cost  PasswordCost
	rand  io.Reader
	turns chan struct{}
}

// hash is password in the PHC string form, "$argon2id$v=19$m=65536,t=3,p=4$salt$hash".
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(p.rand, salt); err != nil {
		return "", err
	}
	sum, err := p.derive(ctx, password, salt, p.cost)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return p.cost.prefix() + enc.EncodeToString(salt) + "$" + enc.EncodeToString(sum), nil
}

func (c PasswordCost) prefix() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, c.Memory, c.Time, c.Threads)
}

// check compares a password with a hash. With the hash "", of a user that there is
// not, it takes as long and says no. stale says that the hash was made at another
// cost.
func (p *passwords) check(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	cost, salt, want, parsed := parseHash(hash)
	if !parsed {
		cost, salt, want = p.cost, make([]byte, saltBytes), make([]byte, hashBytes)
	}
	sum, err := p.derive(ctx, password, salt, cost)
	if err != nil {
		return false, false, err
	}
	same := subtle.ConstantTimeCompare(sum, want) == 1
	return same && parsed, cost != p.cost, nil
}

func (p *passwords) derive(ctx context.Context, password string, salt []byte, cost PasswordCost) ([]byte, error) {
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turns }()
	return argon2.IDKey([]byte(password), salt, cost.Time, cost.Memory, cost.Threads, hashBytes), nil
}

func parseHash(hash string) (cost PasswordCost, salt, sum []byte, ok bool) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 {
		return cost, nil, nil, false
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.Memory, &cost.Time, &cost.Threads); err != nil || n != 3 {
		return cost, nil, nil, false
	}
	if strings.Join(parts[:4], "$")+"$" != cost.prefix() || cost.Memory > maxHashMemory || cost.Time-1 >= maxHashTime || cost.Threads == 0 {
		return cost, nil, nil, false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return cost, nil, nil, false
	}
	sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	return cost, salt, sum, err == nil && len(sum) == hashBytes && len(salt) >= 8
}

// badPassword says why a new password is not taken, "" when it is.
func badPassword(name, password string) string {
	switch {
	case len(password) < 10:
		return "a password has at least 10 characters"
	case len(password) > 512:
		return "a password has at most 512 bytes"
	case name != "" && strings.Contains(strings.ToLower(password), strings.ToLower(name)) && len(password) < len(name)+6:
		return "a password is more than the user's name and a few characters"
	case strings.Trim(password, password[:1]) == "":
		return "a password is more than one character again and again"
	default:
		return ""
	}
}
