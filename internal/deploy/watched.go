package deploy

import "github.com/ingot-imaging/ingot/internal/progress"

// watched is a target of which is counted what is read and written, and for how long
// somebody waits for it. It hides what else the target can do.
type watched struct {
	Disk
	traffic *progress.Traffic
}

func (w watched) ReadAt(p []byte, off int64) (int, error) {
	defer w.traffic.Begin()()
	n, err := w.Disk.ReadAt(p, off)
	w.traffic.AddIn(int64(n))
	return n, err
}

func (w watched) WriteAt(p []byte, off int64) (int, error) {
	defer w.traffic.Begin()()
	n, err := w.Disk.WriteAt(p, off)
	w.traffic.AddOut(int64(n))
	return n, err
}

func (w watched) Zero(off, n int64) error {
	defer w.traffic.Begin()()
	return w.Disk.Zero(off, n)
}

func (w watched) Sync() error {
	defer w.traffic.Begin()()
	return w.Disk.Sync()
}
