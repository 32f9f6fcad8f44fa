package deb

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow is how much memory a decompressor may ask for to look back. Debian's
// xz uses 8 MiB, xz -9 64 MiB.
const maxWindow = 128 << 20

// decompress reads what a member's name says it holds: tar, compressed in one of
// the ways of dpkg-deb(1).
func decompress(m member, suffix string) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(m.data, 256<<10)
	switch suffix {
	case "":
		return io.NopCloser(in), nil
	case ".gz":
		return gzip.NewReader(in)
	case ".zst":
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case ".xz":
		return NewXZ(in)
	}
	return nil, fmt.Errorf("member %s is compressed in a way that is not known", m.name)
}

// xzDictionary is the field of an xz block header that says how much memory the
// first block needs (The .xz File Format, 5.3.1): stream header of 12 bytes, then
// header size, flags, filter ID 0x21, length of properties 1, size.
const xzDictionary = 12 + 4

// NewXZ reads an xz stream that asks for no more than 128 MiB of memory.
func NewXZ(in *bufio.Reader) (io.ReadCloser, error) {
	head, err := in.Peek(xzDictionary + 1)
	if err != nil {
		return nil, fmt.Errorf("read the header of the xz stream: %w", err)
	}
	// Both sizes of the block may come before its filter; each has at most 9 bytes.
	if flags := head[13]; flags&0xc0 != 0 {
		if head, err = in.Peek(12 + 2 + 18 + 3); err != nil {
			return nil, fmt.Errorf("read the header of the xz stream: %w", err)
		}
	}
	if bits, ok := dictionaryBits(head); ok && bits > 30 { // 40 is 4 GiB; 30 is 128 MiB
		return nil, fmt.Errorf("the xz stream needs more than %d MiB of memory", maxWindow>>20)
	}
	r, err := xz.NewReader(in)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(r), nil
}

// dictionaryBits finds the encoded size of the dictionary in the header of the
// first block.
func dictionaryBits(head []byte) (byte, bool) {
	at := 14
	for flags := head[13] & 0xc0; flags != 0; flags &= flags - 1 {
		for at < len(head) && head[at]&0x80 != 0 {
			at++
		}
		at++
	}
	if at+2 >= len(head) || head[at] != 0x21 || head[at+1] != 1 {
		return 0, false
	}
	return head[at+2], true
}
