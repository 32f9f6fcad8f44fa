package control

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"strings"
)

// idDigits are what IDs are made of: none looks like another.
const idDigits = "abcdefghijkmnpqrstuvwxyz23456789"

// newID is prefix and ten random letters and digits: 50 bits, enough for what a
// fleet has.
func (c *Control) newID(prefix string) (string, error) {
	raw := make([]byte, 10)
	if _, err := io.ReadFull(c.rand, raw); err != nil {
		return "", err
	}
	for i := range raw {
		raw[i] = idDigits[raw[i]%byte(len(idDigits))]
	}
	return prefix + string(raw), nil
}

// newSecret is 256 random bits as text, and what is kept of them.
func (c *Control) newSecret() (secret string, hash []byte, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(c.rand, raw); err != nil {
		return "", nil, err
	}
	secret = base64.RawURLEncoding.EncodeToString(raw)
	return secret, hashOf(secret), nil
}

// hashOf is what is kept of a secret. One of 256 random bits needs no slow hash.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// fits compares a secret with what was kept of it, in a time that tells nothing.
func fits(secret string, hash []byte) bool {
	return len(hash) > 0 && subtle.ConstantTimeCompare(hashOf(secret), hash) == 1
}

// Credentials that carry the ID of what they are for, so that it is found by it:
// prefix_id_secret.
const (
	tokenPrefix = "ingot" // of programs
	jobPrefix   = "job"   // of agents, for objects
)

func joinCredential(prefix, id, secret string) string { return prefix + "_" + id + "_" + secret }

// splitCredential takes a credential apart. The secret's alphabet has a _, IDs have
// none.
func splitCredential(prefix, credential string) (id, secret string, ok bool) {
	parts := strings.SplitN(credential, "_", 3)
	if len(credential) > maxText || len(parts) != 3 || parts[0] != prefix || parts[1] == "" || parts[2] == "" {
		return "", "", false
	}
	return parts[1], parts[2], true
}
