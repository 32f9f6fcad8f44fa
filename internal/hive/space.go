package hive

import (
	"encoding/binary"
	"slices"
)

// space is what is known of the cells of a hive that is edited: where each
// begins, and which are free. It keeps one bit and at most four bytes for each
// cell, however hostile the hive.
type space struct {
	h      *Hive
	starts []uint32   // of bins, ascending
	free   [][]uint32 // cells by their size in units of 8; the last has all larger ones
}

// largeCell is the size, in units of 8 bytes, from which free cells are looked
// through one by one.
const largeCell = 128

// mapSpace walks all cells. Bins that do not follow each other, or that cells do
// not tile, are damage.
func mapSpace(h *Hive) (*space, error) {
	s := &space{h: h, free: make([][]uint32, largeCell+1)}
	h.grid = newBitmap(h.bins / 8)
	for at := uint32(0); at < h.bins; {
		bin := h.data[baseSize+at:]
		size := binary.LittleEndian.Uint32(bin[8:])
		if string(bin[:4]) != "hbin" || binary.LittleEndian.Uint32(bin[4:]) != at || size == 0 || size%binUnit != 0 || size > h.bins-at {
			return nil, damagedCell(at, "no bin is there, or one of %d bytes that does not fit", size)
		}
		s.starts = append(s.starts, at)
		if err := s.mapBin(at, at+size); err != nil {
			return nil, err
		}
		at += size
	}
	return s, nil
}

func (s *space) mapBin(start, end uint32) error {
	for at := start + binHeader; at < end; {
		size := s.sizeAt(at)
		length := int64(max(size, -size))
		if length < 8 || length%8 != 0 || length > int64(end-at) {
			return damagedCell(at, "a cell of %d bytes does not fit its bin", length)
		}
		s.h.grid.add(at / 8)
		if size > 0 {
			s.list(at, uint32(size))
		}
		at += uint32(length)
	}
	return nil
}

// sizeAt is the size field of a cell: negative when it is in use.
func (s *space) sizeAt(at uint32) int64 {
	return int64(int32(binary.LittleEndian.Uint32(s.h.data[baseSize+at:])))
}

func (s *space) setSize(at uint32, size int64) {
	binary.LittleEndian.PutUint32(s.h.data[baseSize+at:], uint32(int32(size)))
}

// list remembers a free cell. What is remembered may be out of date: fits knows.
func (s *space) list(at, size uint32) {
	i := min(size/8, largeCell)
	s.free[i] = append(s.free[i], at)
}

func (s *space) fits(at, size uint32) bool {
	return s.h.grid.has(at/8) && s.sizeAt(at) >= int64(size)
}

// find takes a free cell of at least size bytes from the lists.
func (s *space) find(size uint32) (uint32, bool) {
	for i := min(size/8, largeCell); i < largeCell; i++ {
		for cells := s.free[i]; len(cells) > 0; cells = s.free[i] {
			at := cells[len(cells)-1]
			s.free[i] = cells[:len(cells)-1]
			if s.fits(at, size) {
				return at, true
			}
		}
	}
	large := s.free[largeCell]
	for i, at := range large {
		if s.fits(at, size) {
			s.free[largeCell] = slices.Delete(large, i, i+1)
			return at, true
		}
	}
	return 0, false
}

// alloc returns a cell, cleared, for n bytes. Slices of the hive's bytes that
// were taken before are no longer valid.
func (s *space) alloc(n int) (uint32, error) {
	size := uint32(n+4+7) &^ 7
	at, ok := s.find(size)
	if !ok {
		var err error
		if at, err = s.grow(size); err != nil {
			return 0, err
		}
	}
	if rest := s.sizeAt(at) - int64(size); rest > 0 {
		s.setSize(at+size, rest)
		s.h.grid.add((at + size) / 8)
		s.list(at+size, uint32(rest))
	}
	s.setSize(at, -int64(size))
	clear(s.h.data[baseSize+at+4 : baseSize+at+size])
	return at, nil
}

// grow appends a bin that holds one free cell of at least size bytes.
func (s *space) grow(size uint32) (uint32, error) {
	h := s.h
	length := (size + binHeader + binUnit - 1) &^ (binUnit - 1)
	if int64(len(h.data))+int64(length) > MaxSize {
		return 0, damaged(40, "with %d bytes more the hive would have more than %d", length, MaxSize)
	}
	start := h.bins
	bin := make([]byte, length)
	copy(bin, "hbin")
	binary.LittleEndian.PutUint32(bin[4:], start)
	binary.LittleEndian.PutUint32(bin[8:], length)
	h.data = append(h.data, bin...)
	h.bins += length
	s.starts = append(s.starts, start)
	h.grid = append(h.grid, make(bitmap, length/8/64)...)
	at := start + binHeader
	h.grid.add(at / 8)
	s.setSize(at, int64(length-binHeader))
	return at, nil
}

// release frees the cell at an offset, clears it, and joins it with free cells
// beside it in its bin.
func (s *space) release(at uint32) error {
	c, err := s.h.cell(at, 0)
	if err != nil {
		return err
	}
	clear(c)
	start, size := at, uint32(len(c)+4)
	first, end := s.bin(at)
	if next := at + size; next < end && s.sizeAt(next) > 0 {
		size += uint32(s.sizeAt(next))
		s.join(next)
	}
	if p, ok := s.h.grid.before(at/8, first/8); ok && s.sizeAt(p*8) > 0 {
		start = p * 8
		size += at - start
		s.join(at)
	}
	s.setSize(start, int64(size))
	s.list(start, size)
	return nil
}

// join makes the cell at an offset a part of what is before it.
func (s *space) join(at uint32) {
	s.h.grid.remove(at / 8)
	s.setSize(at, 0)
}

// bin returns where the bin around an offset begins and ends.
func (s *space) bin(at uint32) (first, end uint32) {
	i, found := slices.BinarySearch(s.starts, at)
	if !found {
		i--
	}
	end = s.h.bins
	if i+1 < len(s.starts) {
		end = s.starts[i+1]
	}
	return s.starts[i], end
}
