// Package wipe makes a disk forget what it held, and proves it.
//
// It owns the two ways: giving all blocks back (Discard), which takes seconds and is
// as good as the disk's firmware, and writing zeros over every byte (Overwrite). It
// knows nothing of what the disk holds, and refuses nothing: whoever calls Run has
// asked already.
package wipe

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// Method is how a disk is wiped.
type Method string

// The methods.
const (
	Discard   Method = "discard"
	Overwrite Method = "overwrite"
)

// Disk is what is wiped.
type Disk interface {
	block.Writer
	CanDiscard() bool
	Discard(off, n int64) error
	// DropCache makes the next read come from the medium.
	DropCache() error
}

// ErrNoDiscard says that a disk takes no blocks back.
var ErrNoDiscard = errors.New("this disk cannot discard; overwrite it instead")

// NotZeroError says that a disk still holds something.
type NotZeroError struct {
	Offset int64 // of the first such byte that was found
}

func (e *NotZeroError) Error() string {
	return fmt.Sprintf("the disk still holds something at byte %d, after it was wiped: it is failing, or lies about what it writes", e.Offset)
}

// edge is how much at both ends is overwritten after a discard: tables, boot loaders
// and most superblocks lie there, and a disk may go on showing what it discarded.
const edge = 16 << 20

// piece is how much is written or read at once, bytes.
const piece = 4 << 20

// Run wipes the disk. When it returns without an error, the disk reads as zeros: all
// of it after Overwrite, both ends after Discard. Errors: ErrNoDiscard before
// anything is touched; *NotZeroError.
func (m Method) Run(ctx context.Context, disk Disk, work *progress.Work) error {
	ranges := [][2]int64{{0, disk.Size()}}
	if m == Discard {
		if !disk.CanDiscard() {
			return ErrNoDiscard
		}
		ranges = edges(disk.Size())
		if err := discard(ctx, disk, work); err != nil {
			return err
		}
	}
	write, check := stages(work, ranges)
	for _, r := range ranges {
		if err := zero(ctx, disk, r[0], r[1], write, work); err != nil {
			return err
		}
	}
	if err := errors.Join(disk.Sync(), disk.DropCache()); err != nil {
		return err
	}
	for _, r := range ranges {
		if err := verify(ctx, disk, r[0], r[1], check); err != nil {
			return err
		}
	}
	return nil
}

// edges are the ranges at both ends, which may be one.
func edges(size int64) [][2]int64 {
	if size <= 2*edge {
		return [][2]int64{{0, size}}
	}
	return [][2]int64{{0, edge}, {size - edge, size}}
}

func stages(work *progress.Work, ranges [][2]int64) (write, check *progress.Stage) {
	var total int64
	for _, r := range ranges {
		total += r[1] - r[0]
	}
	return work.Stage("overwrite", total), work.Stage("read back", total)
}

// discardPiece keeps one request short enough for Ctrl-C and for slow firmware.
const discardPiece = 16 << 30

func discard(ctx context.Context, disk Disk, work *progress.Work) error {
	stage := work.Stage("discard", disk.Size())
	for off := int64(0); off < disk.Size(); off += discardPiece {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(discardPiece, disk.Size()-off)
		if err := disk.Discard(off, n); err != nil {
			return err
		}
		stage.Add(n)
	}
	return nil
}

// zero writes zeros: asking the disk to make zeros could leave the old bytes on the
// medium.
func zero(ctx context.Context, disk Disk, off, end int64, stage *progress.Stage, work *progress.Work) error {
	zeros := block.AlignedBuffer(piece)
	for ; off < end; off += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := disk.WriteAt(zeros[:min(piece, end-off)], off)
		stage.Add(int64(n))
		work.Written.Add(int64(n))
		if err != nil {
			return err
		}
	}
	return nil
}

func verify(ctx context.Context, disk Disk, off, end int64, stage *progress.Stage) error {
	buf := block.AlignedBuffer(piece)
	for ; off < end; off += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		p := buf[:min(piece, end-off)]
		if err := block.ReadFull(disk, p, off); err != nil {
			return err
		}
		if i := firstSet(p); i >= 0 {
			return &NotZeroError{off + int64(i)}
		}
		stage.Add(int64(len(p)))
	}
	return nil
}

// firstSet is the index of the first byte of p that is not zero, -1 for none.
func firstSet(p []byte) int {
	for i, b := range p {
		if b != 0 {
			return i
		}
	}
	return -1
}
