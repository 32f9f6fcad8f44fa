package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// FormatVersion is the store format that this program writes. It reads every
// older one.
const FormatVersion = 1

// Config is the object "config": what never changes in a store.
type Config struct {
	Format  int          `json:"ingotStore"`
	ID      string       `json:"id"` // random, 32 hex digits
	Hash    chunk.Hash   `json:"hash"`
	Chunks  chunk.Params `json:"chunks"`
	Created time.Time    `json:"created"`
}

// Store is an open store.
type Store struct {
	backend Backend
	config  Config
}

// ErrNoStore says that the backend holds no store.
var ErrNoStore = errors.New("there is no ingot store here")

// VersionError says that a newer program wrote the store.
type VersionError struct{ Format int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the store has format %d; this program knows up to %d, use a newer one", e.Format, FormatVersion)
}

// Open opens the store in b; ErrNoStore when there is none.
func Open(ctx context.Context, b Backend) (*Store, error) {
	data, err := read(ctx, b, keyConfig, maxSmall)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrNoStore
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	var c Config
	if err := unseal(keyConfig, data, &c); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if c.Format != FormatVersion {
		return nil, &VersionError{c.Format}
	}
	if !c.Hash.Known() {
		return nil, fmt.Errorf("open store: it uses %v, which this program does not know", c.Hash)
	}
	if err := c.Chunks.Valid(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return &Store{b, c}, nil
}

// OpenOrCreate opens the store in b and makes an empty one where there is none.
func OpenOrCreate(ctx context.Context, b Backend) (*Store, error) {
	return OpenOrCreateLike(ctx, b, Config{Hash: chunk.DefaultHash, Chunks: chunk.DefaultParams})
}

// OpenOrCreateLike is OpenOrCreate, but a new store gets the hash function and
// the chunk sizes of like, so that images can be copied between both.
func OpenOrCreateLike(ctx context.Context, b Backend, like Config) (*Store, error) {
	s, err := Open(ctx, b)
	if !errors.Is(err, ErrNoStore) {
		return s, err
	}
	c := Config{FormatVersion, randomName(), like.Hash, like.Chunks, time.Now().UTC().Truncate(time.Second)}
	if err := b.Put(ctx, keyConfig, seal(c)); err != nil && !errors.Is(err, ErrExists) {
		return nil, fmt.Errorf("create store: %w", err)
	}
	return Open(ctx, b)
}

// Hash is the hash function of every ID in the store.
func (s *Store) Hash() chunk.Hash { return s.config.Hash }

// Config returns what never changes in the store.
func (s *Store) Config() Config { return s.config }

// Backend returns what the store lies in.
func (s *Store) Backend() Backend { return s.backend }

func randomName() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Small mutable-looking objects (config, names, leases, condemnations) are JSON
// with a checksum in a line before it, since no name or chunk ID covers them:
//
//	ingot 1 <SHA-256 of the rest, hex>\n
const sealPrefix = "ingot 1 "

// seal encodes v, which must marshal, as a small object.
func seal(v any) []byte {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic("store: " + err.Error())
	}
	body = append(body, '\n')
	return append([]byte(sealPrefix+chunk.SHA256.Sum(body).String()+"\n"), body...)
}

// unseal decodes a small object and checks it.
func unseal(key string, data []byte, v any) error {
	const head = len(sealPrefix) + 64 + 1
	if len(data) < head || string(data[:len(sealPrefix)]) != sealPrefix {
		return &IntegrityError{key, 0, "does not begin as ingot's small objects do"}
	}
	if chunk.SHA256.Sum(data[head:]).String() != string(data[len(sealPrefix):head-1]) {
		return &IntegrityError{key, 0, "fails its checksum"}
	}
	if err := json.Unmarshal(data[head:], v); err != nil {
		return &IntegrityError{key, int64(head), err.Error()}
	}
	return nil
}
