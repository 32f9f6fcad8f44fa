// Package chunk names and cuts the used bytes of a disk.
//
// A chunk is a contiguous piece of used bytes: the unit of hashing and of
// deduplication. The package owns its identity (ID, Hash) and where one ends
// (Params.Next). It does no I/O and knows neither packs nor disks.
//
// Where chunks end is part of the store's format: another rule would still give
// correct images, and would find nothing of what is stored already.
package chunk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/zeebo/blake3"
)

// ID is the hash of a chunk's plain bytes. Equal ID means equal bytes.
type ID [32]byte

// String is the ID as 64 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is the first 12 hex digits, for a person.
func (id ID) Short() string { return id.String()[:12] }

// MarshalText makes an ID a JSON string or key.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := ParseID(string(text))
	*id = parsed
	return err
}

// ParseID reads 64 lower-case hex digits.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 2*len(id) {
		return ID{}, fmt.Errorf("an ID has 64 hex digits, not %d characters", len(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil || id.String() != s {
		return ID{}, fmt.Errorf("%q is not an ID of 64 lower-case hex digits", s)
	}
	return id, nil
}

// Hash is a hash function by its number in the format.
type Hash uint8

const (
	SHA256 Hash = 1
	BLAKE3 Hash = 2
)

// DefaultHash is what a new store uses; doc/decisions/0002-hash.md has the measurements.
const DefaultHash = BLAKE3

// Known reports whether h is a hash function of this version.
func (h Hash) Known() bool { return h == SHA256 || h == BLAKE3 }

// Sum hashes p. h must be Known.
func (h Hash) Sum(p []byte) ID {
	if h == SHA256 {
		return sha256.Sum256(p)
	}
	return blake3.Sum256(p)
}

func (h Hash) String() string {
	switch h {
	case SHA256:
		return "SHA-256"
	case BLAKE3:
		return "BLAKE3"
	}
	return fmt.Sprintf("hash %d", uint8(h))
}
