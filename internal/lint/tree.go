package lint

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/browse"
	winsys "github.com/ingot-imaging/ingot/internal/customise/windows"
)

// maxText bounds a configuration file that is read, bytes.
const maxText = 1 << 20

// tree is the files of a volume or a system, for checks.
type tree struct {
	browse.Files
	ignoreCase bool // in patterns; names are as the volume has it
}

var _ winsys.Files = tree{}

// absent reports whether an error says that a name leads nowhere.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// text is a configuration file; "" where there is none, or something that is no
// regular file.
func (t tree) text(name string) (string, error) {
	info, err := t.Stat(name)
	if absent(err) || err == nil && !info.Mode().IsRegular() {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := t.ReadFile(name, maxText)
	return string(data), err
}

// exists reports whether a name leads to something.
func (t tree) exists(name string) bool {
	_, err := t.Stat(name)
	return err == nil
}

// size is that of a regular file; 0 where there is none.
func (t tree) size(name string) int64 {
	info, err := t.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}
