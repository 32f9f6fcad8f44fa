// Package fat makes the small FAT16 volume from which UEFI firmware starts a stick,
// a DVD, or a disk in memory that it fetched by HTTP. The same files are the same
// bytes, which the usual programs do not promise.
//
// It owns the layout, after Microsoft's FAT32 File System Specification (version
// 1.03), and the rules of short names. It refuses long names, and volumes that are
// too large for FAT16. Reading is for package volume/fat.
package fat

import (
	"encoding/binary"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	sectorSize     = 512
	clusterSectors = 4
	clusterSize    = clusterSectors * sectorSize
	reserved       = 1   // sectors before the first FAT
	copies         = 2   // of the FAT
	rootEntries    = 512 // of entrySize bytes
	entrySize      = 32
	minClusters    = 4085 // fewer are FAT12 by definition
	maxClusters    = 65524
	endOfChain     = 0xffff
	mediaFixed     = 0xf8

	attrVolume  = 0x08
	attrFolder  = 0x10
	attrArchive = 0x20
)

// Options are what a volume says besides its files.
type Options struct {
	Label    string // 11 capital letters and digits at most
	Serial   uint32
	Modified time.Time // of everything in it; 1980 to 2107
}

// Image returns a volume with files, by their paths in capital 8.3 names, such as
// "EFI/BOOT/BOOTX64.EFI".
func Image(files map[string][]byte, o Options) ([]byte, error) {
	v := &volume{options: o, table: []uint16{0xff00 | mediaFixed, endOfChain}}
	root := &folder{folders: map[string]*folder{}, files: map[string][]byte{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := root.put(name, files[name]); err != nil {
			return nil, err
		}
	}
	entries := append(v.entry(label(o.Label), attrVolume, 0, 0), v.content(root, 0)...)
	if len(entries) > rootEntries*entrySize {
		return nil, fmt.Errorf("make a FAT volume: %d entries do not fit in its root", len(entries)/entrySize)
	}
	clusters := max(len(v.table)-2, minClusters)
	if clusters > maxClusters {
		return nil, fmt.Errorf("make a FAT volume: %d bytes are too many for FAT16", len(v.data))
	}
	fatSectors := (2*(clusters+2) + sectorSize - 1) / sectorSize
	image := v.bootSector(clusters, fatSectors)
	table := make([]byte, fatSectors*sectorSize)
	for i, next := range v.table {
		binary.LittleEndian.PutUint16(table[2*i:], next)
	}
	for range copies {
		image = append(image, table...)
	}
	image = append(image, entries...)
	image = append(image, make([]byte, rootEntries*entrySize-len(entries))...)
	image = append(image, v.data...)
	return append(image, make([]byte, clusters*clusterSize-len(v.data))...), nil
}

// folder is a folder that is not laid out yet.
type folder struct {
	folders map[string]*folder
	files   map[string][]byte
}

func (f *folder) put(name string, content []byte) error {
	dir, rest, below := strings.Cut(name, "/")
	if _, err := shortName(dir); err != nil {
		return fmt.Errorf("make a FAT volume: %q: %w", name, err)
	}
	if _, file := f.files[dir]; file || !below && f.folders[dir] != nil {
		return fmt.Errorf("make a FAT volume: %q is both a file and a folder", dir)
	}
	if !below {
		f.files[dir] = content
		return nil
	}
	if f.folders[dir] == nil {
		f.folders[dir] = &folder{folders: map[string]*folder{}, files: map[string][]byte{}}
	}
	return f.folders[dir].put(rest, content)
}

// volume is a volume in the making: the table and the clusters behind it.
type volume struct {
	options Options
	table   []uint16
	data    []byte
}

// content lays out what is in f, and returns the entries of f.
func (v *volume) content(f *folder, self uint16) []byte {
	var entries []byte
	for _, name := range slices.Sorted(maps.Keys(f.folders)) {
		below := f.folders[name]
		// The two entries for itself and the folder above come first.
		size := entrySize * (2 + len(below.folders) + len(below.files))
		at := v.allocate(size)
		short, _ := shortName(name)
		entries = append(entries, v.entry(short, attrFolder, at, 0)...)
		own := append(v.entry(dots(1), attrFolder, at, 0), v.entry(dots(2), attrFolder, self, 0)...)
		own = append(own, v.content(below, at)...)
		copy(v.data[int(at-2)*clusterSize:], own)
	}
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		content := f.files[name]
		at := v.allocate(len(content))
		if len(content) > 0 {
			copy(v.data[int(at-2)*clusterSize:], content)
		}
		short, _ := shortName(name)
		entries = append(entries, v.entry(short, attrArchive, at, len(content))...)
	}
	return entries
}

// allocate returns the first cluster of a new chain of size bytes; 0 for none.
func (v *volume) allocate(size int) uint16 {
	n := (size + clusterSize - 1) / clusterSize
	if n == 0 {
		return 0
	}
	first := len(v.table)
	for i := range n {
		v.table = append(v.table, uint16(first+i+1))
	}
	v.table[len(v.table)-1] = endOfChain
	v.data = append(v.data, make([]byte, n*clusterSize)...)
	return uint16(first)
}

// entry is a directory entry (section 6 of the specification).
func (v *volume) entry(name [11]byte, attributes byte, cluster uint16, size int) []byte {
	t := v.options.Modified.UTC()
	day := uint16(max(t.Year()-1980, 0)<<9 | int(t.Month())<<5 | t.Day())
	clock := uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	e := make([]byte, entrySize)
	copy(e, name[:])
	e[11] = attributes
	binary.LittleEndian.PutUint16(e[14:], clock) // created
	binary.LittleEndian.PutUint16(e[16:], day)
	binary.LittleEndian.PutUint16(e[18:], day) // read
	binary.LittleEndian.PutUint16(e[22:], clock)
	binary.LittleEndian.PutUint16(e[24:], day)
	binary.LittleEndian.PutUint16(e[26:], cluster)
	binary.LittleEndian.PutUint32(e[28:], uint32(size))
	return e
}

// bootSector is the first sector (section 3.1 and 3.2).
func (v *volume) bootSector(clusters, fatSectors int) []byte {
	sectors := reserved + copies*fatSectors + rootEntries*entrySize/sectorSize + clusters*clusterSectors
	b := make([]byte, sectorSize)
	copy(b, "\xeb\x3c\x90INGOT   ")
	binary.LittleEndian.PutUint16(b[11:], sectorSize)
	b[13] = clusterSectors
	binary.LittleEndian.PutUint16(b[14:], reserved)
	b[16] = copies
	binary.LittleEndian.PutUint16(b[17:], rootEntries)
	if sectors < 1<<16 {
		binary.LittleEndian.PutUint16(b[19:], uint16(sectors))
	} else {
		binary.LittleEndian.PutUint32(b[32:], uint32(sectors))
	}
	b[21] = mediaFixed
	binary.LittleEndian.PutUint16(b[22:], uint16(fatSectors))
	binary.LittleEndian.PutUint16(b[24:], 63)  // sectors a track
	binary.LittleEndian.PutUint16(b[26:], 255) // heads
	b[36], b[38] = 0x80, 0x29                  // drive; the three fields that follow are there
	binary.LittleEndian.PutUint32(b[39:], v.options.Serial)
	name := label(v.options.Label)
	copy(b[43:], name[:])
	copy(b[54:], "FAT16   ")
	b[510], b[511] = 0x55, 0xaa
	return b
}

func label(s string) [11]byte {
	name := [11]byte([]byte("           "))
	copy(name[:], s)
	return name
}

func dots(n int) [11]byte { return label(strings.Repeat(".", n)) }

// shortName is a name as a directory entry holds it.
func shortName(s string) (name [11]byte, err error) {
	name = label("")
	extension := strings.TrimPrefix(path.Ext(s), ".")
	base := strings.TrimSuffix(s, path.Ext(s))
	odd := func(c rune) bool { return !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-') }
	if base == "" || len(base) > 8 || len(extension) > 3 || strings.ContainsFunc(base, odd) || strings.ContainsFunc(extension, odd) {
		return name, fmt.Errorf("the name %q is not short and in capitals", s)
	}
	copy(name[:8], base)
	copy(name[8:], extension)
	return name, nil
}
