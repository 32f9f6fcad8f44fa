// Package hive reads and edits registry hives of Windows: SYSTEM, SOFTWARE, a
// user's NTUSER.DAT, and BCD, the store of the boot manager.
//
// It owns the format, from any bytes, with every check. It refuses to edit a hive
// that was not closed in order, since its newest data lies in log files that only
// Windows replays, and one whose cells do not tile their bins. It knows no key by
// name: what the keys of Windows mean is for its users.
//
// Start at Open to read and at Hive.Edit to change. Names ignore case, paths are
// separated by backslashes: `ControlSet001\Control`.
//
// The format is described in "Windows registry file format specification" by
// Maxim Suhanov; the names of records and fields here are those of that text.
package hive

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// MaxSize bounds the bytes of a hive. Windows itself keeps SOFTWARE, the largest,
// far below.
const MaxSize = 512 << 20

// Base block. Offsets are those of the section "Base block".
const (
	baseSize  = 4096
	checkedAt = 508 // XOR-32 of what is before
	binHeader = 32
	binUnit   = 4096
	none      = 0xFFFFFFFF // an offset that points nowhere
)

// Hive is a hive in memory. It may be read by several goroutines until it is
// edited.
type Hive struct {
	data  []byte // the whole file
	bins  uint32 // bytes of hive bins data
	root  uint32
	minor uint32 // 3 to 6
	why   string // why it counts as dirty; "": it does not
	grid  bitmap // where cells begin; nil until Edit
}

// Open reads a hive and takes data over. The error is a *DamageError when data is
// no hive, or one that cannot be read.
func Open(data []byte) (*Hive, error) {
	if len(data) < baseSize+binUnit || len(data) > MaxSize {
		return nil, damaged(0, "the file has %d bytes, possible are %d to %d", len(data), baseSize+binUnit, MaxSize)
	}
	le := binary.LittleEndian
	if string(data[:4]) != "regf" {
		return nil, damaged(0, "it does not begin with 'regf'")
	}
	if major, kind, format := le.Uint32(data[20:]), le.Uint32(data[28:]), le.Uint32(data[32:]); major != 1 || kind != 0 || format != 1 {
		return nil, damaged(20, "major version %d, type %d and format %d are not those of a hive", major, kind, format)
	}
	h := &Hive{data: data, root: le.Uint32(data[36:]), bins: le.Uint32(data[40:]), minor: le.Uint32(data[24:])}
	if h.minor < 3 || h.minor > 6 {
		return nil, damaged(24, "version 1.%d is not among the known ones, 1.3 to 1.6", h.minor)
	}
	if h.bins == 0 || h.bins%binUnit != 0 || int64(h.bins) > int64(len(data)-baseSize) {
		return nil, damaged(40, "%d bytes of bins do not fit a file of %d", h.bins, len(data))
	}
	h.why = unclean(data)
	if _, err := h.node(h.root); err != nil {
		return nil, fmt.Errorf("root key: %w", err)
	}
	return h, nil
}

// unclean says why a base block is that of a dirty hive; see "Dirty state of a
// hive".
func unclean(base []byte) string {
	le := binary.LittleEndian
	if first, second := le.Uint32(base[4:]), le.Uint32(base[8:]); first != second {
		return fmt.Sprintf("its sequence numbers are %d and %d", first, second)
	}
	if le.Uint32(base[checkedAt:]) != checksum(base) {
		return "its base block has a wrong checksum"
	}
	return ""
}

func checksum(base []byte) uint32 {
	var sum uint32
	for i := 0; i < checkedAt; i += 4 {
		sum ^= binary.LittleEndian.Uint32(base[i:])
	}
	switch sum {
	case 0:
		return 1
	case none:
		return none - 1
	}
	return sum
}

// Dirty returns a *DirtyError when the hive was not closed in order: what is read
// may be older than what Windows would show, and Edit refuses it.
func (h *Hive) Dirty() error {
	if h.why == "" {
		return nil
	}
	return &DirtyError{h.why}
}

// Root is the topmost key.
func (h *Hive) Root() Key { return Key{h, h.root} }

// Find returns the key at path below the root; the error is ErrNotFound when
// there is none.
func (h *Hive) Find(path string) (Key, error) {
	k := h.Root()
	for _, name := range elements(path) {
		var err error
		if k, err = k.Key(name); err != nil {
			return Key{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return k, nil
}

// Value returns the value name of the key at path; the error is ErrNotFound when
// either is not there.
func (h *Hive) Value(path, name string) (Value, error) {
	k, err := h.Find(path)
	if err != nil {
		return Value{}, err
	}
	v, err := k.Value(name)
	if err != nil {
		return Value{}, fmt.Errorf("%s, value %q: %w", path, name, err)
	}
	return v, nil
}

// elements cuts a path into names.
func elements(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '\\' })
}
