package files

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// output is a file that is being written.
type output struct {
	fd   int
	left int64 // of its bytes in the contents, those that are not written yet
}

func (o *output) close() { closeFD(o.fd) }

// create makes file n in its directory.
func (a *applier) create(dir int, n int32) (*output, error) {
	e := &a.Entries[n]
	fd, err := openBelow(dir, e.Name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	a.setEarlyFlags(fd, n)
	return &output{fd: fd}, nil
}

// start opens what a datum is written to: a new file, or one that was made for
// the sake of its streams.
func (a *applier) start(d datum) (*output, error) {
	flags, mode := unix.O_WRONLY, uint32(0)
	if len(a.Entries[d.entry].more().Streams) == 0 {
		flags, mode = flags|unix.O_CREAT|unix.O_EXCL, 0o600
	}
	fd, err := a.tree.open(a.path(d), flags, mode)
	if err != nil {
		return nil, err
	}
	if flags&unix.O_CREAT != 0 {
		a.setEarlyFlags(fd, d.entry)
	}
	return &output{fd: fd, left: a.data(d).length()}, nil
}

func (a *applier) setEarlyFlags(fd int, n int32) {
	if (a.Entries[n].Flags|a.Entries[a.Entries[n].Parent].Flags)&earlyFlags != 0 {
		a.setFlags(fd, n, earlyFlags)
	}
}

// large is the size from which on a file gets its space before its bytes come,
// so that it lies in one piece.
const large = 8 << 20

// reserve gives a file its size, and space where it had space.
func (o *output) reserve(d *Data) error {
	err := again(func() error { return unix.Ftruncate(o.fd, d.Size) })
	if err != nil || d.Sparse || d.Size < large {
		return err
	}
	return o.allocate(d.Size)
}

func (o *output) allocate(size int64) error {
	err := again(func() error { return unix.Fallocate(o.fd, 0, 0, size) })
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}

// newWriter returns what writes the files of pieces.
func (a *applier) newWriter() pieceWorker {
	var parts []part
	return func(ctx context.Context, p piece) error {
		for _, d := range p.data {
			if err := ctx.Err(); err != nil {
				return err
			}
			parts = a.parts(parts[:0], d, p.span)
			if err := a.write(p, d, parts); err != nil {
				return failure("write", "/"+a.path(d), err)
			}
		}
		return nil
	}
}

// write writes what a piece has of a datum; the last piece completes it.
func (a *applier) write(p piece, d datum, parts []part) error {
	if d.stream >= 0 && a.kind != "ntfs" {
		return nil // said when the stream should have been made
	}
	data := a.data(d)
	whole := extent.Extent{Start: data.At, Length: data.length()}
	here := whole.Intersect(p.span)
	o, err := a.output(d, here == whole)
	if err != nil {
		return err
	}
	holes := p.zeros.Clip(here)
	if here == whole && (data.Sparse || len(holes) > 0) { // of others output has set the size
		err = o.reserveFor(a, d)
	}
	for i := 0; i < len(parts) && err == nil; i++ {
		err = o.writePart(p, parts[i], holes)
	}
	a.stage.Add(here.Length)
	a.work.Written.Add(here.Length)
	return errors.Join(err, a.done(d, o, here.Length))
}

// output opens a datum, or finds it open when it lies in several pieces.
func (a *applier) output(d datum, whole bool) (*output, error) {
	if whole {
		return a.start(d)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.open[d]; o != nil {
		return o, nil
	}
	o, err := a.start(d)
	if err == nil {
		a.open[d] = o
		err = o.reserveFor(a, d)
	}
	return o, err
}

// reserveFor reserves what the data needs, and all of a file that says so.
func (o *output) reserveFor(a *applier, d datum) error {
	data := a.data(d)
	if err := o.reserve(data); err != nil {
		return err
	}
	if d.stream < 0 && a.Entries[d.entry].more().Reserved {
		return o.allocate(data.Size)
	}
	return nil
}

// writePart writes a stretch of a file but for long runs of zeros, which a new
// file has anyway.
func (o *output) writePart(p piece, part part, holes extent.List) error {
	all := extent.List{{Start: part.at, Length: part.inFile.Length}}
	if len(holes) > 0 {
		all = all.Subtract(holes)
	}
	for _, e := range all {
		b := p.bytes[e.Start-p.span.Start : e.End()-p.span.Start]
		if err := writeAll(o.fd, b, part.inFile.Start+e.Start-part.at); err != nil {
			return err
		}
	}
	return nil
}

func writeAll(fd int, b []byte, off int64) error {
	for len(b) > 0 {
		var n int
		if err := again(func() (err error) { n, err = unix.Pwrite(fd, b, off); return err }); err != nil {
			return err
		}
		b, off = b[n:], off+int64(n)
	}
	return nil
}

// done counts n bytes of a datum as written; with the last of them the file gets
// its attributes and is closed.
func (a *applier) done(d datum, o *output, n int64) error {
	a.mu.Lock()
	o.left -= n
	complete := o.left == 0
	if complete {
		delete(a.open, d)
	}
	a.mu.Unlock()
	if !complete {
		return nil
	}
	defer o.close()
	if d.stream >= 0 || len(a.Entries[d.entry].more().Streams) > 0 {
		return nil
	}
	return a.finishFile(o.fd, d.entry)
}

// closeAll closes what an interrupted Apply leaves open.
func (a *applier) closeAll() {
	for _, o := range a.open {
		o.close()
	}
}
