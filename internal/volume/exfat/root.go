package exfat

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	dirEntryBytes = 32
	maxDirBytes   = 256 << 20 // section 7.1
)

// Types of the root directory's entries (section 7).
const (
	entryEnd    = 0x00
	entryBitmap = 0x81
	entryUpcase = 0x82
	entryLabel  = 0x83
)

// maxLabelUnits is the most UTF-16 units of a label (section 7.3.2).
const maxLabelUnits = 11

// stream is data that a directory entry describes by its first cluster and length in bytes.
type stream struct {
	cluster int64
	length  int64
	present bool
}

// root is what the root directory says about the volume.
type root struct {
	bitmaps [2]stream
	upcase  stream
	label   string
}

// readRoot fills v.root and the label. Damage is a refusal: the volume can still be described.
func (v *exfatVolume) readRoot(ctx context.Context) error {
	c := newChain(v.r, v.geometry, v.rootCluster, "root directory")
	err := c.each(ctx, maxDirBytes, func(piece []byte) (bool, error) {
		for ; len(piece) > 0; piece = piece[dirEntryBytes:] {
			if piece[0] == entryEnd {
				return true, nil
			}
			v.root.add(piece[:dirEntryBytes])
		}
		return false, nil
	})
	v.info.Label = v.root.label
	if err == nil || err == io.EOF {
		err = v.checkRoot()
	}
	if damage := (*volume.DamageError)(nil); errors.As(err, &damage) {
		v.refuse(volume.Damaged, false, damage.What+": "+damage.Why, "Run fsck.exfat (Windows: chkdsk /f) on it.")
		return nil
	}
	return err
}

// add takes one directory entry. Of two of a kind the first counts.
func (t *root) add(e []byte) {
	data := stream{int64(binary.LittleEndian.Uint32(e[20:])), int64(binary.LittleEndian.Uint64(e[24:])), true}
	switch e[0] {
	case entryBitmap: // section 7.1; BitmapFlags bit 0 is the number of the bitmap
		if b := &t.bitmaps[e[1]&1]; !b.present {
			*b = data
		}
	case entryUpcase: // section 7.2
		if !t.upcase.present {
			t.upcase = data
		}
	case entryLabel: // section 7.3
		if t.label == "" {
			t.label = decodeLabel(e)
		}
	}
}

func decodeLabel(e []byte) string {
	units := make([]uint16, min(int(e[1]), maxLabelUnits))
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(e[2+2*i:])
	}
	return string(utf16.Decode(units))
}

// maxUpcaseBytes is two bytes for each of 65,536 UTF-16 units, uncompressed (section 7.2.5).
const maxUpcaseBytes = 2 * 65536

// checkRoot holds the streams that a used map stands on to the geometry.
func (v *exfatVolume) checkRoot() error {
	for i, b := range v.root.bitmaps[:v.tables] {
		if !b.present {
			return streamDamage(bitmapName(i), "the root directory does not name it")
		}
		if b.length < v.bitmapBytes() || !v.valid(b.cluster) {
			return streamDamage(bitmapName(i), "%d bytes at cluster %d for %d clusters", b.length, b.cluster, v.clusters)
		}
	}
	if u := v.root.upcase; u.present && (u.length <= 0 || u.length > maxUpcaseBytes) {
		return streamDamage("up-case table", "it is %d bytes long", u.length)
	}
	return nil
}

func streamDamage(what, why string, args ...any) error {
	return &volume.DamageError{Kind: "exfat", What: what, Offset: -1, Why: fmt.Sprintf(why, args...)}
}
