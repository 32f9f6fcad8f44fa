package ntfs

import (
	"cmp"
	"encoding/binary"
)

// Flags of an index entry.
const (
	entryHasChild = 1
	entryIsLast   = 2
)

// indexEntry is where a search in one node ended (NTFS_DE).
type indexEntry struct {
	found    bool
	ref      uint64
	hasChild bool
	child    int64
}

// seek finds the first entry whose name is not less than name. It is false for
// entries that run out of bounds.
func seek(entries []byte, name string) (indexEntry, bool) {
	le := binary.LittleEndian
	for {
		if len(entries) < 0x10 {
			return indexEntry{}, false
		}
		length, flags := int(le.Uint16(entries[8:])), le.Uint16(entries[0xC:])
		if length < 0x10 || length > len(entries) {
			return indexEntry{}, false
		}
		e := indexEntry{ref: le.Uint64(entries), hasChild: flags&entryHasChild != 0}
		if e.hasChild {
			if length < 0x18 {
				return indexEntry{}, false
			}
			e.child = int64(le.Uint64(entries[length-8:]))
		}
		if flags&entryIsLast != 0 {
			return e, true
		}
		theirs, ok := entryName(entries[:length])
		if !ok {
			return indexEntry{}, false
		}
		if c := compareFold(name, theirs); c <= 0 {
			e.found = c == 0
			return e, true
		}
		entries = entries[length:]
	}
}

// entryName is the UTF-16 name in an entry's key (ATTR_FILE_NAME).
func entryName(entry []byte) ([]byte, bool) {
	const key, name = 0x10, 0x42
	if len(entry) < key+name {
		return nil, false
	}
	return cut(entry, key+name, 2*uint32(entry[key+name-2]))
}

// compareFold orders an ASCII name against a UTF-16 one as the index does, by
// upper case. $UpCase makes no other character an ASCII one.
func compareFold(ascii string, wide []byte) int {
	for i := 0; i < len(ascii) && 2*i < len(wide); i++ {
		if c := cmp.Compare(upper(uint16(ascii[i])), upper(binary.LittleEndian.Uint16(wide[2*i:]))); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(ascii), len(wide)/2)
}

func upper(c uint16) uint16 {
	if c >= 'a' && c <= 'z' {
		return c - 'a' + 'A'
	}
	return c
}
