package files

import (
	"cmp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// dirReader reads directories, one after the other.
type dirReader struct {
	w       *walker
	buf     []byte
	entries entryReader
}

func newDirReader(w *walker) *dirReader {
	return &dirReader{w, make([]byte, direntBuffer), newEntryReader(w.out.Listing.Kind, w.opts.Place)}
}

// read reads directory n of the listing and what is in it.
func (r *dirReader) read(n int32) (contents, error) {
	name := r.w.out.Listing.Path(n)
	fd, err := openToRead(func(flags int) (int, error) { return r.w.tree.open(name, flags, 0) }, unix.O_DIRECTORY)
	if err != nil {
		return contents{}, err
	}
	defer unix.Close(fd)
	var c contents
	st, err := statFD(fd)
	if err == nil {
		err = r.entries.directory(fd, &st, int(r.w.tree.root.Fd()), name, &c.self)
	}
	if err != nil {
		return c, failure("read", name, err)
	}
	if mountOf(&st) != r.w.mount {
		r.w.noteMount(name)
		return c, nil
	}
	names, err := readDir(fd, r.buf)
	if err != nil {
		return c, failure("read", name, err)
	}
	if only := r.w.opts.Only; n == 0 && only != "" {
		names = slices.DeleteFunc(names, func(d dirent) bool { return d.name != only })
	}
	// Inodes lie on the disk by their numbers.
	slices.SortFunc(names, func(a, b dirent) int { return cmp.Compare(a.ino, b.ino) })
	elements := strings.Split(name, "/")
	if n == 0 {
		elements = nil
	}
	c.entries = make([]found, 0, len(names))
	for _, d := range names {
		if rule := r.w.ruleOf(append(elements, d.name)); rule >= 0 {
			r.leaveOut(fd, d.name, &r.w.omitted[rule])
			continue
		}
		f, err := r.entries.entry(fd, d)
		if err != nil {
			return c, failure("read", strings.TrimPrefix(name+"/"+d.name, "/"), err)
		}
		c.entries = append(c.entries, f)
	}
	return c, nil
}

// ruleOf is the number of the first rule that leaves a file out, -1 for none.
func (w *walker) ruleOf(elements []string) int {
	return slices.IndexFunc(w.rules, func(p pattern) bool { return p.matches(elements) })
}

// leaveOut counts a file, or a directory with everything in it. What it cannot
// read it does not count.
func (r *dirReader) leaveOut(dir int, name string, o *omission) {
	st, err := statAt(dir, name, 0)
	if err != nil {
		return
	}
	o.files.Add(1)
	o.bytes.Add(int64(st.Blocks) * sectorSize)
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || mountOf(&st) != r.w.mount {
		return
	}
	fd, err := openBelow(dir, name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	names, _ := readDir(fd, r.buf)
	for _, d := range names {
		r.leaveOut(fd, d.name, o)
	}
}
