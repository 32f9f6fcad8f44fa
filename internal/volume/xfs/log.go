package xfs

import (
	"context"
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/block"
)

// The log is a ring of 512-byte blocks. Every time round has a number, its
// cycle, which each block carries in its first word, or behind the magic number
// when the block is the header of a record (struct xlog_rec_header). Up to the
// head all blocks carry the present cycle, from there on the one before, so the
// head is where the number drops. Source: xfs_log_format.h, and the search for
// the head in the kernel's xfs_log_recover.c.
const (
	recordMagic    = 0xFEEDbabe
	recordVersion2 = 2
	// Of a version 2 record, the bytes for which one header block keeps what the
	// cycle numbers replaced (XLOG_HEADER_CYCLE_SIZE).
	headerCovers = 32 << 10
	// In struct xlog_op_header, which follows the header blocks.
	opFlagsOffset  = 9
	unmountTransOp = 0x20 // XLOG_UNMOUNT_TRANS
	// The kernel has at most eight buffers of 256 KiB under way, in any order.
	maxUnsettledLog = 8 * 256 << 10
)

// recordHeader is struct xlog_rec_header, the first block of a record.
type recordHeader struct {
	Magic    uint32
	Cycle    uint32
	Version  uint32
	Length   uint32 // bytes behind the header blocks
	LSNCycle uint32
	LSNBlock uint32 // of the log, where this record starts
	_        [16]byte
	Ops      uint32
	_        [276]byte
	Size     uint32 // bytes that a record may have; version 2
}

// logRing reads the log.
type logRing struct {
	r      block.Reader
	offset int64 // of its first byte
	blocks int64
}

// logIsClean reports whether the last record says that the file system was
// unmounted, or no record was ever written. Whatever it does not understand is
// not clean. The error is one of reading.
func logIsClean(ctx context.Context, r block.Reader, sb *superblock) (bool, error) {
	l := &logRing{r: r, offset: sb.logOffset(), blocks: int64(sb.LogBlocks) * sb.blockSize() / daddrSize}
	first, err := l.cycle(0)
	if err != nil {
		return false, err
	}
	last, err := l.cycle(l.blocks - 1)
	if err != nil {
		return false, err
	}
	switch {
	case first == 0 && last == 0:
		return true, nil
	case first != last && first != last+1: // the ends of a full ring, or of one with the head inside
		return false, nil
	}
	head, err := l.head(ctx, first)
	if err != nil {
		return false, err
	}
	return l.endsInUnmount(head, first)
}

// head returns the number of blocks that carry the present cycle, by bisection
// as the kernel does: a log may have 2 GiB, too much to read for this.
func (l *logRing) head(ctx context.Context, present uint32) (int64, error) {
	low, high := int64(1), l.blocks
	for low < high {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		middle := (low + high) / 2
		cycle, err := l.cycle(middle)
		if err != nil {
			return 0, err
		}
		if cycle == present {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// endsInUnmount reports whether the record that ends at head is an unmount
// record. It also wants every block on which writes may have been under way
// when the log was last written to be of the right cycle; a hole there means
// that the bisection may have found the wrong place.
func (l *logRing) endsInUnmount(head int64, present uint32) (bool, error) {
	n := min(l.blocks, maxUnsettledLog/daddrSize)
	window := make([]byte, n*daddrSize)
	if err := l.readBefore(window, head); err != nil {
		return false, err
	}
	record := int64(-1)
	for i := range n {
		logBlock := window[i*daddrSize:][:daddrSize]
		want := present
		if head-n+i < 0 {
			want--
		}
		if cycleOf(logBlock) != want {
			return false, nil
		}
		if isRecordHeader(logBlock) {
			record = i
		}
	}
	if record < 0 {
		return false, nil
	}
	start := (head - n + record + l.blocks) % l.blocks
	return isUnmountRecord(window[record*daddrSize:], start), nil
}

// isUnmountRecord reports whether b, which starts at the given block of the log
// and ends at its head, is exactly one unmount record.
func isUnmountRecord(b []byte, start int64) bool {
	var h recordHeader
	if _, err := binary.Decode(b, binary.BigEndian, &h); err != nil {
		return false
	}
	headers := int64(1)
	if h.Version&recordVersion2 != 0 {
		headers = max(1, (int64(h.Size)+headerCovers-1)/headerCovers)
	}
	data := (int64(h.Length) + daddrSize - 1) / daddrSize
	if data == 0 || (headers+data)*daddrSize != int64(len(b)) {
		return false
	}
	return h.Ops == 1 && int64(h.LSNBlock) == start && b[headers*daddrSize+opFlagsOffset]&unmountTransOp != 0
}

// readBefore fills p with the blocks that end at head, round the ring's seam.
func (l *logRing) readBefore(p []byte, head int64) error {
	wrapped := max(0, int64(len(p))-head*daddrSize)
	if err := block.ReadFull(l.r, p[:wrapped], l.offset+l.blocks*daddrSize-wrapped); err != nil {
		return err
	}
	return block.ReadFull(l.r, p[wrapped:], l.offset+head*daddrSize-int64(len(p))+wrapped)
}

func (l *logRing) cycle(number int64) (uint32, error) {
	b := make([]byte, 2*4)
	err := block.ReadFull(l.r, b, l.offset+number*daddrSize)
	return cycleOf(b), err
}

func isRecordHeader(logBlock []byte) bool { return binary.BigEndian.Uint32(logBlock) == recordMagic }

func cycleOf(logBlock []byte) uint32 {
	if isRecordHeader(logBlock) {
		return binary.BigEndian.Uint32(logBlock[4:])
	}
	return binary.BigEndian.Uint32(logBlock)
}
