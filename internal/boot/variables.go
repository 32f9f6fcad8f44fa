package boot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// EFIVarfs is where Linux shows the firmware's variables.
const EFIVarfs = "/sys/firmware/efi/efivars"

// Variables are the firmware's variables as files of a folder: each begins with
// four bytes of attributes, then its data (Documentation/filesystems/efivarfs.rst
// of the kernel).
type Variables struct {
	Dir string
	// Mutable takes the protection off a file that is to be changed; nil: there is none.
	Mutable func(path string) error
}

const (
	globalGUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c" // EFI_GLOBAL_VARIABLE, UEFI 2.10, section 3.3
	attributes = 1 | 2 | 4                              // non-volatile, for boot services, for the running system

	// maxVariable bounds one variable, bytes; firmware allows less.
	maxVariable = 64 << 10
	// maxFolder bounds the folder's names.
	maxFolder = 16 << 10
)

func (v Variables) path(name string) string { return filepath.Join(v.Dir, name+"-"+globalGUID) }

// read returns a variable's data; the error is fs.ErrNotExist when there is none.
func (v Variables) read(name string) ([]byte, error) {
	f, err := os.Open(v.path(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxVariable+1))
	if err != nil {
		return nil, err
	}
	if len(b) < 4 || len(b) > maxVariable {
		return nil, malformed("variable "+name, "it has %d bytes", len(b))
	}
	return b[4:], nil
}

// write sets a variable. One write call is one variable to efivarfs, and the
// firmware does it wholly or not at all.
func (v Variables) write(name string, data []byte) error {
	if err := v.unlock(name); err != nil {
		return err
	}
	b := binary.LittleEndian.AppendUint32(nil, attributes)
	if err := os.WriteFile(v.path(name), append(b, data...), 0o644); err != nil {
		return fmt.Errorf("set the firmware's variable %s: %w", name, err)
	}
	return nil
}

func (v Variables) remove(name string) error {
	if err := v.unlock(name); err != nil {
		return err
	}
	if err := os.Remove(v.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the firmware's variable %s: %w", name, err)
	}
	return nil
}

func (v Variables) unlock(name string) error {
	if v.Mutable == nil {
		return nil
	}
	if err := v.Mutable(v.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make the firmware's variable %s changeable: %w", name, err)
	}
	return nil
}

var entryName = regexp.MustCompile(`^Boot([0-9A-F]{4})-` + globalGUID + `$`)

// numbers returns the numbers of all boot entries, ascending.
func (v Variables) numbers() ([]Number, error) {
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		return nil, fmt.Errorf("read the firmware's variables: %w", err)
	}
	var all []Number
	for _, e := range entries[:min(len(entries), maxFolder)] {
		if m := entryName.FindStringSubmatch(e.Name()); m != nil {
			n, _ := strconv.ParseUint(m[1], 16, 16) // four hexadecimal digits
			all = append(all, Number(n))
		}
	}
	return all, nil
}

// Order returns BootOrder: in which order entries are tried. A firmware that was
// never told has none.
func (v Variables) Order() ([]Number, error) {
	b, err := v.read("BootOrder")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var order []Number
	for ; len(b) >= 2; b = b[2:] {
		order = append(order, Number(binary.LittleEndian.Uint16(b)))
	}
	return order, nil
}

func (v Variables) setOrder(order []Number) error {
	var b []byte
	for _, n := range order {
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	return v.write("BootOrder", b)
}

// SetNext makes the firmware try an entry once, at the next start (BootNext).
func (v Variables) SetNext(n Number) error {
	return v.write("BootNext", binary.LittleEndian.AppendUint16(nil, uint16(n)))
}

// Next returns BootNext; false when it is not set.
func (v Variables) Next() (Number, bool, error) {
	b, err := v.read("BootNext")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil || len(b) < 2 {
		return 0, false, err
	}
	return Number(binary.LittleEndian.Uint16(b)), true, nil
}
