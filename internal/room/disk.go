package room

import (
	"errors"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
)

// errPower is what everything on a PC ends with when its power is cut.
var errPower = errors.New("the power is off")

// Medium is what a Disk is made of.
type Medium interface {
	block.Writer
	block.Sectored
	Zero(off, n int64) error
}

// Disk is the disk of a PC: one whose power can be cut, and that can hold up a job at
// a chosen byte.
type Disk struct {
	mu      sync.Mutex
	medium  Medium
	off     chan struct{} // closed while there is no power
	written int64
	hold    *hold
	cuts    uint64 // each loses something else
}

type hold struct {
	after   int64
	reached chan struct{} // closed when a write waits
	free    chan struct{} // closed when it may go on
	once    sync.Once
}

// NewDisk is a disk of size bytes in memory that loses what was not synced when its
// power is cut.
func NewDisk(size int64) *Disk {
	return DiskOf(blocktest.NewCrash(blocktest.NewMemory(size, block.DefaultSectorSize)))
}

// DiskOf is a disk made of m.
func DiskOf(m Medium) *Disk { return &Disk{medium: m, off: make(chan struct{})} }

// Hold makes writes wait when so many more bytes were written, until free is called.
// reached is closed when the first one waits.
func (d *Disk) Hold(after int64) (reached <-chan struct{}, free func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := &hold{after: d.written + after, reached: make(chan struct{}), free: make(chan struct{})}
	d.hold = h
	return h.reached, sync.OnceFunc(func() { close(h.free) })
}

// Platter is what is on the disk, whether there is power or not.
func (d *Disk) Platter() block.Reader { return d.now() }

// Written is how many bytes were ever written to the disk.
func (d *Disk) Written() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written
}

// cut takes the power away: nothing that comes later reaches the disk, and of what was
// not synced some is lost.
func (d *Disk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.off:
		return
	default:
	}
	close(d.off)
	d.hold = nil
	if c, ok := d.medium.(*blocktest.Crash); ok {
		d.cuts++
		d.medium = blocktest.NewCrash(c.Crash(d.cuts))
	}
}

// on gives the power back.
func (d *Disk) on() {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.off:
		d.off = make(chan struct{})
	default:
	}
}

// use is the medium while there is power, once n more bytes may be written.
func (d *Disk) use(n int64) (Medium, error) {
	d.mu.Lock()
	h, off := d.hold, d.off
	waits := h != nil && n > 0 && d.written+n > h.after
	d.mu.Unlock()
	if waits {
		h.once.Do(func() { close(h.reached) })
		select {
		case <-h.free:
		case <-off:
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-off:
		return nil, errPower
	default:
	}
	d.written += n
	return d.medium, nil
}

func (d *Disk) now() Medium {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.medium
}

func (d *Disk) Size() int64     { return d.now().Size() }
func (d *Disk) SectorSize() int { return d.now().SectorSize() }

func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	m, err := d.use(0)
	if err != nil {
		return 0, err
	}
	return m.ReadAt(p, off)
}

func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	m, err := d.use(int64(len(p)))
	if err != nil {
		return 0, err
	}
	return m.WriteAt(p, off)
}

func (d *Disk) Zero(off, n int64) error {
	m, err := d.use(0)
	if err != nil {
		return err
	}
	return m.Zero(off, n)
}

func (d *Disk) Sync() error {
	m, err := d.use(0)
	if err != nil {
		return err
	}
	return m.Sync()
}

// edge is what a Discarding keeps at its start, bytes: a deploy reads back what makes
// a disk start.
const edge = 2 << 20

// Discarding is a medium that forgets everything but its first bytes: a disk as fast as
// can be, for as many PCs as there shall be.
type Discarding struct {
	*blocktest.Memory // of the start
	size              int64
}

// NewDiscarding is a Discarding of size bytes.
func NewDiscarding(size int64) *Discarding {
	return &Discarding{blocktest.NewMemory(min(size, edge), block.DefaultSectorSize), size}
}

func (d *Discarding) Size() int64 { return d.size }

func (d *Discarding) ReadAt(p []byte, off int64) (int, error) {
	if off < d.Memory.Size() {
		return d.Memory.ReadAt(p, off)
	}
	clear(p)
	return len(p), nil
}

func (d *Discarding) WriteAt(p []byte, off int64) (int, error) {
	if inside := d.Memory.Size() - off; inside > 0 {
		if _, err := d.Memory.WriteAt(p[:min(int64(len(p)), inside)], off); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (d *Discarding) Zero(off, n int64) error {
	if inside := d.Memory.Size() - off; inside > 0 {
		return d.Memory.Zero(off, min(n, inside))
	}
	return nil
}
