package resize

import (
	"fmt"
	"io"
	"os"

	"github.com/ingot-imaging/ingot/internal/block"
)

// disk is the file or device of a volume. Its writes are for the few sectors that
// no program writes.
type disk struct {
	*os.File
	size int64
}

// openDisk opens path for reading.
func openDisk(path string) (disk, error) { return openAs(path, os.O_RDONLY) }

func openAs(path string, flag int) (disk, error) {
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return disk{}, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return disk{}, fmt.Errorf("size of %s: %w", path, err)
	}
	return disk{f, size}, nil
}

// Size implements block.Reader.
func (d disk) Size() int64 { return d.size }

var _ block.Writer = disk{}

// sizeOf is the size in bytes of a file or device.
func sizeOf(path string) (int64, error) {
	d, err := openDisk(path)
	if err != nil {
		return 0, err
	}
	return d.size, d.Close()
}

// change opens path, lets do change it and makes the changes durable.
func change(path string, do func(disk) error) (err error) {
	d, err := openAs(path, os.O_RDWR)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := d.Close(); err == nil {
			err = cerr
		}
	}()
	if err := do(d); err != nil {
		return err
	}
	return d.Sync()
}
