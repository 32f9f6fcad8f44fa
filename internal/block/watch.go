package block

import "github.com/ingot-imaging/ingot/internal/progress"

// Watch returns r as it is, but that t counts what is read and for how long somebody
// waits for it.
func Watch(r Reader, t *progress.Traffic) Reader { return watched{r, t} }

type watched struct {
	Reader
	traffic *progress.Traffic
}

// ReadAt implements Reader.
func (w watched) ReadAt(p []byte, off int64) (int, error) {
	defer w.traffic.Begin()()
	n, err := w.Reader.ReadAt(p, off)
	w.traffic.AddIn(int64(n))
	return n, err
}
