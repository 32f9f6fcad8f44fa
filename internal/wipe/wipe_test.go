package wipe_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/wipe"
)

// disk is one in memory. Its firmware may lie.
type disk struct {
	bytes     []byte
	discards  bool  // whether it can
	keeps     bool  // and still shows what it discarded
	stuck     int64 // a byte that never changes, 0 for none
	synced    bool
	discarded int64
}

func newDisk(size int) *disk {
	d := &disk{bytes: make([]byte, size), discards: true}
	random := rand.NewChaCha8([32]byte{1})
	random.Read(d.bytes)
	return d
}

func (d *disk) Size() int64      { return int64(len(d.bytes)) }
func (d *disk) CanDiscard() bool { return d.discards }
func (d *disk) Sync() error      { d.synced = true; return nil }
func (d *disk) DropCache() error { return nil }

func (d *disk) ReadAt(p []byte, off int64) (int, error) { return copy(p, d.bytes[off:]), nil }

func (d *disk) WriteAt(p []byte, off int64) (int, error) {
	old := d.bytes[d.stuck]
	n := copy(d.bytes[off:], p)
	if d.stuck != 0 {
		d.bytes[d.stuck] = old
	}
	return n, nil
}

func (d *disk) Discard(off, n int64) error {
	d.discarded += n
	if !d.keeps {
		clear(d.bytes[off : off+n])
	}
	return nil
}

func TestWipe(t *testing.T) {
	const size = 48<<20 + 512
	run := func(d *disk, m wipe.Method) error {
		return m.Run(context.Background(), d, &progress.Work{Verb: "wipe"})
	}
	zeros := make([]byte, size)

	for _, m := range []wipe.Method{wipe.Discard, wipe.Overwrite} {
		d := newDisk(size)
		if err := run(d, m); err != nil || !bytes.Equal(d.bytes, zeros) || !d.synced {
			t.Errorf("%s: %v", m, err)
		}
		if (d.discarded == size) != (m == wipe.Discard) {
			t.Errorf("%s discarded %d bytes", m, d.discarded)
		}
		small := newDisk(1 << 20)
		if err := run(small, m); err != nil || !bytes.Equal(small.bytes, zeros[:1<<20]) {
			t.Errorf("%s of a small disk: %v", m, err)
		}
		var left *wipe.NotZeroError
		stuck := newDisk(size)
		stuck.stuck, stuck.keeps = 5000, true
		if err := run(stuck, m); !errors.As(err, &left) || left.Offset != 5000 {
			t.Errorf("%s of a disk that loses a write: %v", m, err)
		}
	}

	keeps := newDisk(size)
	keeps.keeps = true
	if err := run(keeps, wipe.Discard); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(keeps.bytes[:16<<20], zeros[:16<<20]) || !bytes.Equal(keeps.bytes[size-16<<20:], zeros[:16<<20]) {
		t.Error("the ends of a disk that keeps what it discards were left")
	}

	cannot := newDisk(size)
	cannot.discards = false
	if err := run(cannot, wipe.Discard); !errors.Is(err, wipe.ErrNoDiscard) || cannot.synced {
		t.Errorf("a disk that cannot discard: %v", err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := wipe.Overwrite.Run(ctx, newDisk(size), &progress.Work{}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
