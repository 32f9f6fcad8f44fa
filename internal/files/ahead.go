package files

import (
	"sync"

	"golang.org/x/sys/unix"
)

// window is how far ahead of the reader files are asked for.
const window = 32 << 20

// ahead asks the kernel for files before they are read, so that a disk has more
// than one request at a time. It is only a hint: errors are those of the reader.
type ahead struct {
	mu   sync.Mutex // held while it runs
	next int        // in the listing's order
	wg   sync.WaitGroup
}

// advance asks for what lies in the window behind at, and does not wait for it.
func (a *ahead) advance(t *Tree, at int64) {
	if !a.mu.TryLock() {
		return
	}
	a.wg.Go(func() {
		defer a.mu.Unlock()
		l := t.Listing
		for ; a.next < len(l.order) && l.data(l.order[a.next]).At < at+window; a.next++ {
			if d := l.order[a.next]; l.data(d).At >= at {
				t.ask(l.path(d))
			}
		}
	})
}

// ask begins to read the first bytes of a file; the kernel goes on by itself when
// a long one is read from its start.
func (t *Tree) ask(name string) {
	fd, err := openToRead(func(flags int) (int, error) { return t.tree.open(name, flags, 0) }, 0)
	if err != nil {
		return
	}
	_ = unix.Fadvise(fd, 0, window/8, unix.FADV_WILLNEED)
	closeFD(fd)
}

func (a *ahead) stop() { a.wg.Wait() }
