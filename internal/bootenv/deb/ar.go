package deb

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// The layout of an ar archive, as deb(5) and ar.h describe it: a magic, then
// members of a 60-byte header and their bytes, padded to an even length.
const (
	arMagic       = "!<arch>\n"
	arHeaderSize  = 60
	arHeaderMagic = "`\n"
	arNameEnd     = 16
	arSizeStart   = 48
	arSizeEnd     = 58
)

// maxMembers is far more than the three of a package.
const maxMembers = 16

type member struct {
	name string
	data *io.SectionReader
}

// members reads the table of contents of an ar archive of size bytes.
func members(r io.ReaderAt, size int64) ([]member, error) {
	head := make([]byte, arHeaderSize)
	if _, err := r.ReadAt(head[:len(arMagic)], 0); err != nil || string(head[:len(arMagic)]) != arMagic {
		return nil, fmt.Errorf("this is no Debian package: it does not begin as an ar archive")
	}
	var found []member
	for at := int64(len(arMagic)); at < size; {
		if len(found) == maxMembers {
			return nil, fmt.Errorf("the archive has more than %d members", maxMembers)
		}
		if _, err := r.ReadAt(head, at); err != nil {
			return nil, fmt.Errorf("read the header of member %d: %w", len(found), err)
		}
		name, length, err := memberHeader(head)
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", len(found), err)
		}
		at += arHeaderSize
		if length > size-at {
			return nil, fmt.Errorf("member %q has %d bytes, and the package ends after %d", name, length, size-at)
		}
		found = append(found, member{name, io.NewSectionReader(r, at, length)})
		at += length + length%2
	}
	return found, nil
}

func memberHeader(head []byte) (name string, size int64, err error) {
	if !bytes.HasSuffix(head, []byte(arHeaderMagic)) {
		return "", 0, fmt.Errorf("its header does not end as one")
	}
	name = strings.TrimSuffix(strings.TrimRight(string(head[:arNameEnd]), " "), "/")
	size, err = strconv.ParseInt(strings.TrimRight(string(head[arSizeStart:arSizeEnd]), " "), 10, 64)
	if err != nil || size < 0 {
		return "", 0, fmt.Errorf("its size is %q", head[arSizeStart:arSizeEnd])
	}
	return name, size, nil
}
