package host

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Sector sizes that the kernel or a caller may name, in bytes.
const (
	minSector = 512
	maxSector = 64 << 10
)

// geometry is the size of an open disk or image file.
type geometry struct {
	device         bool // a block device, else a regular file
	size           int64
	logicalSector  int
	physicalSector int
}

// measure asks the kernel for an open file's geometry. sector is the logical
// sector size to assume of an image file, 0 for block.DefaultSectorSize.
func measure(f *os.File, sector int) (geometry, error) {
	info, err := f.Stat()
	if err != nil {
		return geometry{}, err
	}
	if err := checkKind(f.Name(), info); err != nil {
		return geometry{}, err
	}
	if info.Mode().IsRegular() {
		return measureFile(f.Name(), info.Size(), sector)
	}
	return measureDevice(f)
}

func measureFile(path string, size int64, sector int) (geometry, error) {
	if size == 0 {
		return geometry{}, &KindError{path, "empty"}
	}
	if sector == 0 {
		sector = block.DefaultSectorSize
	}
	if !validSector(uint32(sector)) {
		return geometry{}, fmt.Errorf("open %s: %d is not a sector size", path, sector)
	}
	return geometry{size: size, logicalSector: sector, physicalSector: sector}, nil
}

// measureDevice takes no default: a wrong sector size puts a partition table in
// the wrong place.
func measureDevice(f *os.File) (geometry, error) {
	size, err := ioctlUint64(f, unix.BLKGETSIZE64)
	if err != nil {
		return geometry{}, fmt.Errorf("read the size of %s: %w", f.Name(), err)
	}
	if size == 0 || size > math.MaxInt64 {
		return geometry{}, &KindError{f.Name(), "empty"}
	}
	logical, err := ioctlUint32(f, unix.BLKSSZGET)
	if err != nil {
		return geometry{}, fmt.Errorf("read the logical sector size of %s: %w", f.Name(), err)
	}
	physical, err := ioctlUint32(f, unix.BLKPBSZGET)
	if err != nil {
		return geometry{}, fmt.Errorf("read the physical sector size of %s: %w", f.Name(), err)
	}
	if !validSector(logical) || physical < logical || physical > math.MaxInt32 {
		return geometry{}, fmt.Errorf("%s claims sectors of %d bytes, physically %d", f.Name(), logical, physical)
	}
	// A loop device of 4096-byte sectors may end within one, which nobody can read.
	whole := int64(size) &^ int64(logical-1)
	return geometry{true, whole, int(logical), int(physical)}, nil
}

func validSector(n uint32) bool {
	return n >= minSector && n <= maxSector && n&(n-1) == 0
}

// checkKind refuses what is neither a block device nor a regular file.
func checkKind(path string, info fs.FileInfo) error {
	kind := ""
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode.Type() == fs.ModeDevice:
		return nil
	case mode.IsDir():
		kind = "a folder"
	case mode&fs.ModeCharDevice != 0:
		kind = "a character device"
	case mode&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	default:
		kind = "a special file"
	}
	return &KindError{path, kind}
}

// statKind is checkKind before opening, which would wait for a pipe's other end
// and rewind a tape.
func statKind(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NotFoundError{path}
	}
	if err != nil {
		return nil, err
	}
	return info, checkKind(path, info)
}
