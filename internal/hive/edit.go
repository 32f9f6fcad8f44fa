package hive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Editor changes a hive in memory. After an error it gives no bytes: what it had
// begun may be half done.
type Editor struct {
	*space
	now     uint64 // as FILETIME
	changed bool
	err     error
}

// Edit prepares h for changes, which are dated now. The error is a *DirtyError
// when the hive was not closed in order.
func (h *Hive) Edit(now time.Time) (*Editor, error) {
	if err := h.Dirty(); err != nil {
		return nil, err
	}
	h.data = h.data[:baseSize+h.bins] // behind the bins is what once was
	s, err := mapSpace(h)
	if err != nil {
		return nil, err
	}
	return &Editor{space: s, now: filetime(now)}, nil
}

// filetime counts 100 ns since 1601.
func filetime(t time.Time) uint64 {
	const until1970 = 11644473600
	return uint64(t.Unix()+until1970)*1e7 + uint64(t.Nanosecond()/100)
}

// Changed reports whether anything is different from what was opened.
func (e *Editor) Changed() bool { return e.changed }

// Bytes returns the file as it is to be written: closed in order, its sequence
// numbers one higher if anything was changed. They share memory with the hive.
func (e *Editor) Bytes() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	base, le := e.h.data, binary.LittleEndian
	if e.changed {
		next := le.Uint32(base[4:]) + 1
		le.PutUint32(base[4:], next)
		le.PutUint32(base[8:], next)
		le.PutUint64(base[12:], e.now)
		le.PutUint32(base[40:], e.h.bins)
		le.PutUint64(base[baseSize+20:], e.now) // the copy in the first bin
		le.PutUint32(base[checkedAt:], checksum(base))
	}
	return base, nil
}

// do runs an edit, unless one failed before.
func (e *Editor) do(path string, edit func() error) error {
	if e.err != nil {
		return e.err
	}
	if err := edit(); err != nil {
		e.err = fmt.Errorf("edit %s: %w", path, err)
	}
	return e.err
}

// Create makes the key at path, with those above it, where they are missing. A
// new key has the security descriptor of the one above it.
func (e *Editor) Create(path string) error {
	return e.do(path, func() error {
		_, err := e.create(path)
		return err
	})
}

func (e *Editor) create(path string) (uint32, error) {
	at := e.h.root
	for _, name := range elements(path) {
		key, err := Key{e.h, at}.Key(name)
		if errors.Is(err, ErrNotFound) {
			key.at, err = e.newKey(at, nameOf(name))
		}
		if err != nil {
			return 0, err
		}
		at = key.at
	}
	return at, nil
}

// Set gives the key at path, which is made where it is missing, a value. The
// error names the key and never what the value holds.
func (e *Editor) Set(path string, v Value) error {
	return e.do(path, func() error {
		key, err := e.create(path)
		if err != nil {
			return err
		}
		return e.setValue(key, v)
	})
}

// Delete takes a value away; one that is not there is no error.
func (e *Editor) Delete(path, value string) error {
	return e.do(path, func() error {
		key, err := e.h.Find(path)
		if err == nil {
			err = e.deleteValue(key.at, nameOf(value))
		}
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
}

// Remove takes a key away with everything in it; one that is not there is no
// error.
func (e *Editor) Remove(path string) error {
	return e.do(path, func() error {
		names := elements(path)
		if len(names) == 0 {
			return errors.New("the root key cannot be removed")
		}
		parent := e.h.Root()
		for _, name := range names[:len(names)-1] {
			var err error
			if parent, err = parent.Key(name); err != nil {
				return absent(err)
			}
		}
		key, err := parent.Key(names[len(names)-1])
		if err != nil {
			return absent(err)
		}
		return e.removeKey(parent.at, key.at)
	})
}

// absent is err, or none when it says that something is not there.
func absent(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// touch dates the key at an offset and returns its record.
func (e *Editor) touch(key uint32) ([]byte, error) {
	c, err := e.h.node(key)
	if err == nil {
		binary.LittleEndian.PutUint64(c[nkTime:], e.now)
		e.changed = true
	}
	return c, err
}

// raise makes the number in a field of a record at least n.
func raise(field []byte, n int) {
	if binary.LittleEndian.Uint32(field) < uint32(n) {
		binary.LittleEndian.PutUint32(field, uint32(n))
	}
}

// put stores b in a new cell.
func (e *Editor) put(b []byte) (uint32, error) {
	at, err := e.alloc(len(b))
	if err == nil {
		copy(e.h.data[baseSize+at+4:], b)
	}
	return at, err
}

// putList stores offsets in a new cell; there is none for an empty list.
func (e *Editor) putList(list []uint32) (uint32, error) {
	if len(list) == 0 {
		return none, nil
	}
	b := make([]byte, 0, 4*len(list))
	for _, at := range list {
		b = binary.LittleEndian.AppendUint32(b, at)
	}
	return e.put(b)
}

// releaseAll frees cells.
func (e *Editor) releaseAll(cells ...uint32) error {
	for _, at := range slices.Compact(cells) {
		if err := e.release(at); err != nil {
			return err
		}
	}
	return nil
}
