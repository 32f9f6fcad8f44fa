// Package bitlocker recognises volumes that Windows has encrypted with
// BitLocker, of Vista, of later versions and BitLocker To Go.
//
// It owns the boot sector and as much of the metadata as tells the volume's
// GUID. It decrypts nothing, so every byte is used. It refuses nothing: an
// encrypted volume that is copied whole is as good as the original, clean or
// not. Start at Open.
//
// The layouts are those of cryptsetup's lib/bitlk/bitlk.c (bitlk_superblock,
// bitlk_fve_metadata) and of the libbde documentation; Microsoft gives none.
package bitlocker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	bootSize  = 512
	signature = "-FVE-FS-"

	// Where the GUID lies that says 'BitLocker', with the offsets of the three
	// copies of the metadata behind it.
	guidWindows7 = 0xA0
	guidToGo     = 0x1A8

	metadataSize = 0x60 // bytes read of each copy
	metadataGUID = 0x50 // where the volume's GUID lies in it
)

// note tells decrypting from suspending: the latter only stores the key in the
// clear, and leaves ciphertext in every sector.
const note = "Encrypted with BitLocker: it is captured sector by sector, free space included. " +
	"Decrypting it in Windows first (manage-bde -off) makes the image small; " +
	"suspending it (manage-bde -protectors -disable) lets a copy start in another machine without the recovery key."

type format struct{}

// New returns the BitLocker reader. It has to be tried before FAT, whose boot
// sector BitLocker To Go imitates.
func New() volume.Format { return format{} }

func (format) Name() string { return "bitlocker" }

func (format) Recognise(r block.Reader) (bool, error) {
	p, err := readBoot(r)
	return err == nil && p != nil && recognise(p), err
}

// readBoot reads the boot sector, nil when the volume has no room for one.
func readBoot(r block.Reader) ([]byte, error) {
	if r.Size() < bootSize {
		return nil, nil
	}
	p := make([]byte, bootSize)
	return p, block.ReadFull(r, p, 0)
}

func recognise(boot []byte) bool {
	return hasOEM(boot, signature) || isToGo(boot)
}

func hasOEM(boot []byte, oem string) bool { return string(boot[3:11]) == oem }

func isToGo(boot []byte) bool {
	// 4967D63B-2E29-4AD8-8399-F6A339E3D001
	guid := []byte{0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01}
	return hasOEM(boot, "MSWIN4.1") && bytes.Equal(boot[guidToGo:guidToGo+16], guid)
}

type vol struct{ info volume.Info }

func (format) Open(_ context.Context, r block.Reader) (volume.Volume, error) {
	boot, err := readBoot(r)
	if err != nil {
		return nil, err
	}
	if boot == nil || !recognise(boot) {
		return nil, &volume.DamageError{Kind: "bitlocker", What: "boot sector", Why: "no BitLocker signature"}
	}
	guid, err := readGUID(r, metadataOffsets(boot))
	if err != nil {
		return nil, err
	}
	return &vol{volume.Info{
		Kind:  "bitlocker",
		UUID:  guid,
		Size:  r.Size(),
		Used:  -1,
		Notes: []string{note},
	}}, nil
}

func (v *vol) Info() volume.Info { return v.info }

// Used is the whole volume: what its sectors hold cannot be told.
func (v *vol) Used(context.Context) (extent.List, error) {
	return extent.Of(extent.Extent{Length: v.info.Size}), nil
}

// metadataOffsets is where the boot sector says that copies of the metadata
// lie, in bytes, not checked.
func metadataOffsets(boot []byte) []uint64 {
	le := binary.LittleEndian
	at := guidWindows7
	switch {
	case isToGo(boot):
		at = guidToGo
	case boot[1] == 0x52: // the jump of Vista, whose boot sector is laid out as that of NTFS
		cluster := uint64(le.Uint16(boot[0x0B:])) * uint64(boot[0x0D])
		return []uint64{le.Uint64(boot[0x38:]) * cluster}
	}
	return []uint64{le.Uint64(boot[at+16:]), le.Uint64(boot[at+24:]), le.Uint64(boot[at+32:])}
}

// readGUID returns the volume's GUID out of the first copy of the metadata that
// is one, "" when there is none.
func readGUID(r block.Reader, offsets []uint64) (string, error) {
	p := make([]byte, metadataSize)
	for _, off := range offsets {
		if off == 0 || off > uint64(r.Size()) || uint64(r.Size())-off < metadataSize {
			continue
		}
		if err := block.ReadFull(r, p, int64(off)); err != nil {
			return "", err
		}
		if string(p[:8]) == signature {
			return spellGUID(p[metadataGUID : metadataGUID+16]), nil
		}
	}
	return "", nil
}

// spellGUID writes a GUID, whose first three fields are little-endian, in lower case.
func spellGUID(p []byte) string {
	g := slices.Clone(p)
	slices.Reverse(g[0:4])
	slices.Reverse(g[4:6])
	slices.Reverse(g[6:8])
	h := hex.EncodeToString(g)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
