package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// Backend keeps immutable objects under keys such as "packs/3f2a...". It knows
// nothing of what they hold. All methods may be called by several goroutines and
// several programs at once. storetest.Run is the contract as a test.
type Backend interface {
	// Put stores data under key and returns when it survives a power cut. A key
	// that is there already is left as it is: the error is ErrExists, or nil where
	// the backend saw that the object is named by its hash and intact. At no time
	// does a reader see a part of an object.
	Put(ctx context.Context, key string, data []byte) error

	// Get fills p with the bytes of key from offset off. An object that is absent
	// is ErrNotFound; one that ends before p is full is ErrShort.
	Get(ctx context.Context, key string, p []byte, off int64) error

	// Stat returns the object's size and when it was put; ErrNotFound if absent.
	Stat(ctx context.Context, key string) (Object, error)

	// List calls yield for each object whose key starts with prefix, which ends
	// in a slash or is empty, in no particular order, until yield returns an error,
	// which List then returns.
	List(ctx context.Context, prefix string, yield func(Object) error) error

	// Delete removes the object durably; an absent one is no error.
	Delete(ctx context.Context, key string) error
}

// IndexMerger is implemented by a Backend behind which somebody else keeps the
// number of indexes small, such as a server: sessions leave it to them.
type IndexMerger interface {
	MergesIndexes() bool
}

// WriterNamer is implemented by a Backend that tells writers apart by their leases,
// such as one behind a server: sessions use the name it gives, 32 hex digits that are
// new each time.
type WriterNamer interface {
	WriterName() string
}

// Opener is implemented by a Backend whose objects can be opened once and read piece
// by piece, for less than a Get of each. Errors are those of Stat.
type Opener interface {
	Open(ctx context.Context, key string) (OpenObject, Object, error)
}

// OpenObject is an object open for reading; it may be an *os.File.
type OpenObject interface {
	io.ReaderAt
	io.Closer
}

// Object is what a Backend knows about one object.
type Object struct {
	Key     string
	Size    int64
	ModTime time.Time
}

// Errors of a Backend. They are wrapped with the key.
var (
	ErrExists   = errors.New("object exists already")
	ErrNotFound = errors.New("object not found")
	ErrShort    = errors.New("object is shorter than expected")
)

// FullError says that a Backend has no room for an object, and how much it has. It
// wraps what its file system said.
type FullError struct {
	Need int64 // bytes of the object
	Free int64 // bytes that are left
	Size int64 // bytes in all
	Err  error
}

func (e *FullError) Error() string { return e.Err.Error() }
func (e *FullError) Unwrap() error { return e.Err }

// Key prefixes: the whole layout of a store. What may refer to what, at every
// instant: name → manifest → map → pack. Indexes, sessions and condemnations
// are aids that can be lost without losing an image.
const (
	keyConfig       = "config"
	prefixPacks     = "packs/"
	prefixMaps      = "maps/"
	prefixManifests = "manifests/"
	prefixNames     = "names/"
	prefixIndexes   = "indexes/"
	prefixSessions  = "sessions/"
	prefixCondemned = "condemned/"
)

// Keys that those who hand out objects tell apart; ParseKey knows others.
const (
	ConfigKey       = keyConfig
	IndexPrefix     = prefixIndexes
	NamePrefix      = prefixNames
	CondemnedPrefix = prefixCondemned
)

// Kind is what an object that is named by the hash of its bytes holds.
type Kind string

const (
	PackKind     Kind = "packs"
	MapKind      Kind = "maps"
	ManifestKind Kind = "manifests"
)

// ParseKey splits the key of an object that is named by the hash of its bytes;
// false for any other key.
func ParseKey(key string) (Kind, chunk.ID, bool) {
	prefix, name, _ := strings.Cut(key, "/")
	id, err := chunk.ParseID(name)
	kind := Kind(prefix)
	return kind, id, err == nil && (kind == PackKind || kind == MapKind || kind == ManifestKind)
}

// IntegrityError says that an object of the store does not hold what it must.
// Commands that meet one exit with 4.
type IntegrityError struct {
	Key    string // the object: "packs/3f2a..."
	Offset int64  // where in it; -1 when it is the object as a whole
	Why    string // a clause: "hashes to 81ff..., not to its name"
}

func (e *IntegrityError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s is damaged: %s", e.Key, e.Why)
	}
	return fmt.Sprintf("%s is damaged at %#x: %s", e.Key, e.Offset, e.Why)
}

// ChunkError says that a chunk cannot be had intact from anywhere in the store.
type ChunkError struct {
	ID  chunk.ID
	Err error // why the last place that should have had it did not
}

func (e *ChunkError) Error() string { return fmt.Sprintf("chunk %s: %v", e.ID.Short(), e.Err) }
func (e *ChunkError) Unwrap() error { return e.Err }

// maxObject bounds what is read into memory in one piece: packs are cut far
// below it, maps and manifests refuse to grow to it.
const maxObject = 256 << 20

// maxSmall bounds the config and names.
const maxSmall = 64 << 10

// getAll reads a whole object that is named by the hash of its bytes and
// returns it when it is what its name says.
func getAll(ctx context.Context, b Backend, hash chunk.Hash, prefix string, id chunk.ID) ([]byte, error) {
	key := prefix + id.String()
	data, err := read(ctx, b, key, maxObject)
	if err != nil {
		return nil, err
	}
	if got := hash.Sum(data); got != id {
		return nil, &IntegrityError{key, -1, "hashes to " + got.Short() + "..., not to its name"}
	}
	return data, nil
}

// read returns a whole object of at most limit bytes.
func read(ctx context.Context, b Backend, key string, limit int64) ([]byte, error) {
	o, err := b.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if o.Size > limit {
		return nil, &IntegrityError{key, -1, fmt.Sprintf("has %d bytes, more than the %d such an object may have", o.Size, limit)}
	}
	data := make([]byte, o.Size)
	if err := b.Get(ctx, key, data, 0); err != nil {
		return nil, err
	}
	return data, nil
}

// putNamed stores data under the hash of its bytes. That it is there already is
// as good, once it was read and hashes to its name.
func putNamed(ctx context.Context, b Backend, hash chunk.Hash, prefix string, data []byte) (chunk.ID, error) {
	id := hash.Sum(data)
	for {
		err := b.Put(ctx, prefix+id.String(), data)
		if !errors.Is(err, ErrExists) {
			return id, err
		}
		err = replaceDamaged(ctx, b, hash, prefix, id, data)
		if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrExists) {
			return id, err
		}
		// It came or went meanwhile: an index that somebody merged, or healed.
		if err := ctx.Err(); err != nil {
			return id, err
		}
	}
}

// replaceDamaged puts data in place of an object of the same name that does not
// hash to it: to write over rot is to heal it.
func replaceDamaged(ctx context.Context, b Backend, hash chunk.Hash, prefix string, id chunk.ID, data []byte) error {
	_, err := getAll(ctx, b, hash, prefix, id)
	var damage *IntegrityError
	if !errors.As(err, &damage) && !errors.Is(err, ErrShort) {
		return err
	}
	key := prefix + id.String()
	if err := b.Delete(ctx, key); err != nil {
		return err
	}
	return b.Put(ctx, key, data)
}
