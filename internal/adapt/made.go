package adapt

import (
	"errors"
	"io/fs"
	"path"
	"time"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// madeAnew are the folders in which a system's own programs make files anew.
var madeAnew = [...]string{"/boot", "/lib/modules", "/usr/lib/modules"}

// stamp tells whether a file is still the one it was.
type stamp struct {
	size int64
	time time.Time
	mode fs.FileMode
}

// stamps are those of all files in madeAnew, by their names.
func stamps(root *rootfs.Root) (map[string]stamp, error) {
	all := map[string]stamp{}
	for _, folder := range madeAnew {
		if info, err := root.Lstat(path.Dir(folder)); err != nil || !info.IsDir() {
			continue // of a system whose /lib is /usr/lib
		}
		if err := addStamps(root, folder, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func addStamps(root *rootfs.Root, folder string, all map[string]stamp) error {
	entries, err := root.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := path.Join(folder, e.Name())
		if e.IsDir() {
			if err := addStamps(root, name, all); err != nil {
				return err
			}
			continue
		}
		info, err := root.Lstat(name)
		if err != nil {
			return err
		}
		all[name] = stamp{info.Size(), info.ModTime(), info.Mode()}
	}
	return nil
}

// touchMade adds to a report the files that were made, changed or removed since
// before.
func touchMade(root *rootfs.Root, before map[string]stamp, report *customise.Report) error {
	now, err := stamps(root)
	if err != nil {
		return err
	}
	for name, s := range now {
		if old, there := before[name]; !there || !old.time.Equal(s.time) || old.size != s.size || old.mode != s.mode {
			report.Touch(name)
		}
	}
	for name := range before {
		if _, there := now[name]; !there {
			report.Touch(name)
		}
	}
	return nil
}
