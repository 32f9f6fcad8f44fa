package files

import (
	"encoding/binary"
	"fmt"
)

// Tags of reparse points that are all there is of their file ([MS-FSCC] 2.1.2.1).
const (
	tagMountPoint = 0xA0000003
	tagSymlink    = 0xA000000C
	tagAppExec    = 0x8000001B
	tagLXSymlink  = 0xA000001D
	tagUnixSocket = 0x80000023
	tagLXFIFO     = 0x80000024
	tagLXChar     = 0x80000025
	tagLXBlock    = 0x80000026
)

// ReparseError says that Windows keeps the data of a file where only its own
// drivers find them, so that a capture file by file would lose them.
type ReparseError struct {
	Name string
	Tag  uint32
}

func (e *ReparseError) Error() string {
	what, do := fmt.Sprintf("by a driver of Windows (reparse tag %#x)", e.Tag), ""
	switch {
	case e.Tag == 0x80000017:
		what, do = "compressed by CompactOS", ", or run 'compact /CompactOS:never' and 'compact /U /S /EXE' on that Windows first"
	case e.Tag == 0x80000013:
		what = "deduplicated by Windows Server"
	case e.Tag&0xFFFF0FFF == 0x9000001A:
		what, do = "in a cloud, or synchronised with one", ", or unlink that folder from the cloud first"
	}
	return fmt.Sprintf("%s: its data are kept %s and cannot be read here. Capture the volume by blocks, without --files%s", e.Name, what, do)
}

// wholeInReparse refuses a reparse point that stands for more than itself.
func wholeInReparse(name string, data []byte) error {
	if len(data) < 4 {
		return &ReparseError{name, 0}
	}
	switch tag := binary.LittleEndian.Uint32(data); tag {
	case tagMountPoint, tagSymlink, tagAppExec, tagLXSymlink, tagUnixSocket, tagLXFIFO, tagLXChar, tagLXBlock:
		return nil
	default:
		return &ReparseError{name, tag}
	}
}
