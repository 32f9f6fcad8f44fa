package deploy

import (
	"bytes"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
)

// A marker lies in the first sector of a target from before the first byte of
// content is written until after the last. It is text, for whoever looks at the
// disk with any tool, and never a valid boot record.
const (
	markerStart = "ingot: this disk is being written and is NOT complete.\n"
	markerWhat  = "Putting here: "
	markerSize  = 512
)

// Marker returns the marker of a deploy of what.
func Marker(what string) []byte {
	b := fmt.Appendf(nil, "%s%s%.200s\nRun the same deploy again to finish it.\n", markerStart, markerWhat, what)
	return append(b, make([]byte, markerSize-len(b))...)
}

// Unfinished returns what an interrupted deploy was putting on r, "" when r has
// no marker.
func Unfinished(r block.Reader) (string, error) {
	if r.Size() < markerSize {
		return "", nil
	}
	b := make([]byte, markerSize)
	if err := block.ReadFull(r, b, 0); err != nil {
		return "", err
	}
	rest, ok := bytes.CutPrefix(b, []byte(markerStart+markerWhat))
	if !ok {
		return "", nil
	}
	what, _, _ := bytes.Cut(rest, []byte("\n"))
	return string(bytes.ToValidUTF8(bytes.TrimRight(what, "\x00"), []byte("?"))), nil
}
