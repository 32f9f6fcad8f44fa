package volumetest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
)

// A fixture is a volume made by the real tools, reduced to the sectors that our
// reader looks at, so that a 2 TiB file system is a few kilobytes in the tree.
//
//	magic  "ingot-sparse 1\n"
//	u64    size of the volume in bytes, little-endian
//	then, until the end: u64 offset, u32 length, that many bytes
//
// Everything that no record covers reads as zeros; later records win. Files in
// testdata are gzipped; a fuzz target gets the bytes unpacked, so that mutation
// hits the structures and not the compression.
const sparseMagic = "ingot-sparse 1\n"

const (
	maxSparseSize = 1 << 56
	grain         = 512 // what a read is rounded to when it is recorded
)

// Sparse is a volume held as the few ranges that are not zero.
type Sparse struct {
	size    int64
	records []record
}

type record struct {
	off  int64
	data []byte
}

var _ block.Reader = (*Sparse)(nil)

// NewSparse returns a volume of size zero bytes.
func NewSparse(size int64) *Sparse { return &Sparse{size: size} }

// ParseSparse decodes a fixture. Any bytes are accepted or refused without a panic.
func ParseSparse(data []byte) (*Sparse, error) {
	rest, ok := bytes.CutPrefix(data, []byte(sparseMagic))
	if !ok || len(rest) < 8 {
		return nil, errors.New("not a sparse fixture")
	}
	size := binary.LittleEndian.Uint64(rest)
	if size > maxSparseSize {
		return nil, fmt.Errorf("fixture claims %d bytes", size)
	}
	s := NewSparse(int64(size))
	for rest = rest[8:]; len(rest) > 0; {
		if len(rest) < 12 {
			return nil, errors.New("fixture ends inside a record")
		}
		off, n := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint32(rest[8:])
		rest = rest[12:]
		if uint64(n) > uint64(len(rest)) || off > size || uint64(n) > size-off {
			return nil, errors.New("record outside the fixture")
		}
		s.records = append(s.records, record{int64(off), rest[:n]})
		rest = rest[n:]
	}
	return s, nil
}

// Patch overwrites bytes, for tests that damage a fixture on purpose.
func (s *Sparse) Patch(off int64, data []byte) {
	s.records = append(s.records, record{off, slices.Clone(data)})
}

// Bytes encodes the fixture, unpacked.
func (s *Sparse) Bytes() []byte {
	out := binary.LittleEndian.AppendUint64([]byte(sparseMagic), uint64(s.size))
	for _, r := range s.records {
		out = binary.LittleEndian.AppendUint64(out, uint64(r.off))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(r.data)))
		out = append(out, r.data...)
	}
	return out
}

func (s *Sparse) Size() int64 { return s.size }

func (s *Sparse) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-off))
	clear(p[:n])
	for _, r := range s.records {
		from, to := max(off, r.off), min(off+int64(n), r.off+int64(len(r.data)))
		if from < to {
			copy(p[from-off:to-off], r.data[from-r.off:to-r.off])
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// ReadFixture loads a gzipped fixture file.
func ReadFixture(path string) (*Sparse, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("fixture %s: %w", path, err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("fixture %s: %w", path, err)
	}
	return ParseSparse(data)
}

// WriteFixture stores s as a gzipped fixture file.
func WriteFixture(path string, s *Sparse) error {
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	z.Write(s.Bytes())
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, buf.Bytes(), 0o644)
}

// Recorder passes reads through and keeps what was read.
type Recorder struct {
	block.Reader
	mu   sync.Mutex
	seen map[int64][]byte
}

// NewRecorder wraps r.
func NewRecorder(r block.Reader) *Recorder {
	return &Recorder{Reader: r, seen: map[int64][]byte{}}
}

func (r *Recorder) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.Reader.ReadAt(p, off)
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := off &^ (grain - 1); at < off+int64(n); at += grain {
		if _, ok := r.seen[at]; ok {
			continue
		}
		b := make([]byte, min(grain, r.Size()-at))
		if _, err := r.Reader.ReadAt(b, at); err == nil || errors.Is(err, io.EOF) {
			r.seen[at] = b
		}
	}
	return n, err
}

// Sparse returns the non-zero part of what was read, neighbours joined.
func (r *Recorder) Sparse() *Sparse {
	r.mu.Lock()
	defer r.mu.Unlock()
	offs := make([]int64, 0, len(r.seen))
	for off, b := range r.seen {
		if len(bytes.Trim(b, "\x00")) > 0 {
			offs = append(offs, off)
		}
	}
	slices.Sort(offs)
	s := NewSparse(r.Size())
	for _, off := range offs {
		if n := len(s.records); n > 0 && s.records[n-1].off+int64(len(s.records[n-1].data)) == off {
			s.records[n-1].data = append(s.records[n-1].data, r.seen[off]...)
			continue
		}
		s.records = append(s.records, record{off, slices.Clone(r.seen[off])})
	}
	return s
}
