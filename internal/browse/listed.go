package browse

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
)

// listed is a volume that was captured file by file.
type listed struct {
	*files.Volume
	contents content.Random
}

func (l *listed) close() error { return l.contents.Close() }

// find returns the number of an entry; of a hard link, that of the file itself.
func (l *listed) find(op, name string) (int32, error) {
	i, ok := l.Listing.Find(name)
	if !ok {
		return 0, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return i, nil
}

func (l *listed) lstat(name string) (Entry, error) {
	i, err := l.find("find", name)
	if err != nil {
		return Entry{}, err
	}
	e := l.entry(i)
	e.Name = base(name)
	return e, nil
}

func (l *listed) readDir(name string) ([]Entry, error) {
	i, err := l.find("list", name)
	if err != nil {
		return nil, err
	}
	if l.Listing.Entries[i].Type != files.Dir {
		return nil, &fs.PathError{Op: "list", Path: name, Err: fmt.Errorf("it is %s, not a directory", TypeOf(l.entry(i).Mode))}
	}
	first, end := l.Listing.Entries[i].Children()
	entries := make([]Entry, 0, end-first)
	for i := first; i < end; i++ {
		e := l.entry(i)
		e.Name = l.Listing.Entries[i].Name
		entries = append(entries, e)
	}
	return entries, nil
}

func (l *listed) open(name string) (File, error) {
	i, err := l.find("open", name)
	if err != nil {
		return nil, err
	}
	return newListedFile(l.contents, &l.Listing.Entries[i].Data), nil
}

var typeModes = [...]fs.FileMode{
	files.Dir: fs.ModeDir, files.File: 0, files.Symlink: fs.ModeSymlink, files.CharDevice: fs.ModeDevice | fs.ModeCharDevice,
	files.BlockDevice: fs.ModeDevice, files.FIFO: fs.ModeNamedPipe, files.Socket: fs.ModeSocket,
}

// entry describes entry i, or the file that it is another name of.
func (l *listed) entry(i int32) Entry {
	from := &l.Listing.Entries[i]
	if from.Type == files.Link {
		from = &l.Listing.Entries[from.More.Link]
	}
	e := Entry{Name: from.Name, Mode: typeModes[from.Type] | fs.FileMode(from.Mode&0o777), UID: from.UID, GID: from.GID, Size: from.Size,
		Mtime: time.Unix(from.Mtime.Sec, int64(from.Mtime.Nsec))}
	for bit, mode := range map[uint16]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if from.Mode&bit != 0 {
			e.Mode |= mode
		}
	}
	if more := from.More; more != nil {
		e.Target, e.Major, e.Minor = more.Target, more.Major, more.Minor
	}
	return e
}
