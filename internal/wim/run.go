package wim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// Source is an image in a WIM file.
type Source struct {
	File  string
	Refs  []string // files, or patterns of files, with the rest of its data
	Index int
}

// Apply makes the files of an image on a target: an NTFS volume in a file or on a
// device, which must be empty, or with unixData a directory. Every file's bytes are
// checked against their hash. percent is called with what is done of them.
func (s Source) Apply(ctx context.Context, target string, unixData bool, percent func(int)) error {
	args := []string{"apply"}
	for _, r := range s.Refs {
		args = append(args, "--ref="+r)
	}
	if unixData {
		args = append(args, "--unix-data")
	}
	args = append(args, "--", path(s.File), strconv.Itoa(s.Index), path(target))
	return explain(s.File, run(ctx, args, percent))
}

// HasUnixData reports whether an image has owners and modes of Linux.
func (s Source) HasUnixData(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := &firstRecord{enough: cancel}
	_, err := tool.Command{Name: tool.Wimlib, Args: []string{"dir", "--detailed", "--", path(s.File), strconv.Itoa(s.Index)}, Out: first}.Run(ctx)
	if first.done {
		err = nil
	}
	return bytes.Contains(first.text, []byte("\nUNIX Data ")), explain(s.File, err)
}

// firstRecord keeps what wimlib says of the first file of an image, its root, and
// calls enough when that is all there.
type firstRecord struct {
	text   []byte
	done   bool
	enough func()
}

// maxRecord bounds what is kept, bytes.
const maxRecord = 1 << 20

func (f *firstRecord) Write(p []byte) (int, error) {
	if f.done {
		return len(p), nil
	}
	f.text = append(f.text, p...)
	if bytes.Count(f.text, []byte("\nFull Path ")) > 1 || len(f.text) > maxRecord {
		if i := bytes.LastIndex(f.text, []byte("\nFull Path ")); i > 0 {
			f.text = f.text[:i]
		}
		f.done = true
		f.enough()
	}
	return len(p), nil
}

// Compression of a new WIM file.
type Compression string

const (
	None Compression = "none"
	Fast Compression = "fast" // XPRESS
	Max  Compression = "max"  // LZX
)

// Compressions are what there is to choose from.
var compressions = map[Compression]string{None: "none", Fast: "fast", Max: "maximum"}

// Known reports whether c is one of the constants.
func (c Compression) Known() bool { return compressions[c] != "" }

// CaptureOptions say how a WIM file is made.
type CaptureOptions struct {
	Name        string
	Description string
	Compression Compression
	Solid       bool // compress files together, as in an ESD
	UnixData    bool // source is a directory
}

// Capture makes the new WIM file with one image: of an NTFS volume in a file or on
// a device, which is only read, or with UnixData of a directory. What Windows makes
// anew at every start is left out: page and hibernation files, recycle bins, System
// Volume Information.
func Capture(ctx context.Context, source, file string, o CaptureOptions, percent func(int)) error {
	args := []string{"capture", "--compress=" + compressions[o.Compression]}
	if o.Solid {
		args = append(args, "--solid")
	}
	if o.UnixData {
		args = append(args, "--unix-data")
	}
	args = append(args, "--", path(source), path(file), o.Name, o.Description)
	return run(ctx, args, percent)
}

// SetWindows gives an image the properties that Windows Setup shows and goes by,
// from what its XML says of the Windows in it.
func SetWindows(ctx context.Context, file string, i Image) error {
	args := []string{"info"}
	for _, p := range []struct{ name, value string }{{"FLAGS", i.Windows.Edition}, {"DISPLAYNAME", i.Windows.Product}, {"DISPLAYDESCRIPTION", i.Windows.Product}} {
		if p.value != "" {
			args = append(args, "--image-property="+p.name+"="+p.value)
		}
	}
	if len(args) == 1 {
		return nil
	}
	return run(ctx, append(args, "--", path(file), strconv.Itoa(i.Index)), nil)
}

// Verify reads all data of a WIM file and checks it against its hashes.
func Verify(ctx context.Context, file string, percent func(int)) error {
	if err := run(ctx, []string{"verify", "--", path(file)}, percent); err != nil {
		return fmt.Errorf("the new file does not hold what was written to it: %w", err)
	}
	return nil
}

// run runs wimlib-imagex.
func run(ctx context.Context, args []string, percent func(int)) error {
	if percent == nil {
		percent = func(int) {}
	}
	_, err := tool.Command{Name: tool.Wimlib, Args: args, Lines: &watcher{percent: percent}}.Run(ctx)
	var failed *tool.FailedError
	if errors.As(err, &failed) {
		failed.Output = withoutProgress(failed.Output)
	}
	return err
}

var (
	shownPercent = regexp.MustCompile(`\((\d{1,3})%\)`)
	redrawn      = regexp.MustCompile(`[^\n]*\r`)
)

// watcher finds how much is done in what wimlib writes while it works.
type watcher struct {
	percent func(int)
	end     []byte // of what came before, where a number may be cut
}

func (w *watcher) Write(p []byte) (int, error) {
	text := append(w.end, p...)
	if all := shownPercent.FindAllSubmatch(text, -1); len(all) > 0 {
		n, _ := strconv.Atoi(string(all[len(all)-1][1]))
		w.percent(min(n, 100))
	}
	w.end = append([]byte(nil), text[max(0, len(text)-len("(100%)")+1):]...)
	return len(p), nil
}

// withoutProgress drops what wimlib drew over.
func withoutProgress(output string) string { return redrawn.ReplaceAllString(output, "") }
