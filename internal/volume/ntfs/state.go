package ntfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"unicode/utf16"
)

// Flags of VOLUME_INFO that stand against a capture. The others announce work
// for the next mount and leave the maps right.
const (
	flagDirty  = 0x0001
	flagChkdsk = 0x4000 // chkdsk was interrupted
)

const (
	hibernationFile   = "hiberfil.sys"
	hibernationHeader = 4096 // bytes
)

// readVolumeRecord takes the label and the version out of $Volume, and returns
// the volume's flags.
func (v *vol) readVolumeRecord() (flags uint16, err error) {
	r, err := v.mft.record(recordVolume)
	if err != nil {
		return 0, err
	}
	if name, ok := r.find(attrVolumeName, nil); ok {
		v.info.Label = decodeUTF16(name.value)
	}
	info, ok := r.find(attrVolumeInfo, nil)
	if !ok || len(info.value) < 0xC {
		return 0, damaged("$Volume", r.offset, "has no volume information")
	}
	if major, minor := info.value[8], info.value[9]; major != 1 && major != 3 {
		v.refuse(refusedVersion(major, minor))
	}
	return binary.LittleEndian.Uint16(info.value[0xA:]), nil
}

func (v *vol) checkFlags(flags uint16) {
	if flags&flagDirty != 0 {
		v.refuse(refusedDirty())
	}
	if flags&flagChkdsk != 0 {
		v.refuse(refusedChkdsk())
	}
}

// compareMirror refuses a volume whose first records differ from their copies in
// $MFTMirr, as every driver does: nobody knows which is right.
func (v *vol) compareMirror(ctx context.Context) error {
	mirror, err := v.mft.file(ctx, recordMirror, "$MFTMirr")
	if err != nil {
		return err
	}
	for number := int64(recordMFT); number <= recordVolume; number++ {
		first, err := v.mft.record(number)
		if err != nil {
			return err
		}
		p := make([]byte, v.boot.record)
		if err := mirror.readAt(v.r, v.boot, p, number*v.boot.record); err != nil {
			return err
		}
		second, err := parseRecord(p, number, -1)
		if err != nil || !bytes.Equal(first.data, second.data) {
			v.refuse(refusedMirror(number))
			return nil
		}
	}
	return nil
}

// checkHibernation looks into hiberfil.sys, which holds a sleeping Windows, be it
// by fast startup, as long as its header (PO_MEMORY_IMAGE) has a live signature.
func (v *vol) checkHibernation(ctx context.Context) error {
	s, err := v.rootFile(ctx, hibernationFile)
	if err != nil {
		return err
	}
	live, err := v.sleeps(s)
	if live {
		v.refuse(refusedHibernated())
	}
	return err
}

// sleeps reports whether the content of hiberfil.sys can be resumed. "wake" and
// "RSTR" mark an image that was resumed already, zeros one that never was. A
// file too short for a header is what ntfs-3g takes for the mark of a volume
// that belongs to a hibernated Windows elsewhere.
func (v *vol) sleeps(s stream) (bool, error) {
	if s.size < hibernationHeader {
		return s.found, nil
	}
	magic := make([]byte, 4)
	if err := s.readAt(v.r, v.boot, magic, 0); err != nil {
		return false, err
	}
	switch string(magic) {
	case "hibr", "HIBR", "HORM": // HORM: resumed again at every start
		return true, nil
	}
	return false, nil
}

// decodeUTF16 makes valid UTF-8 of little-endian UTF-16.
func decodeUTF16(p []byte) string {
	u := make([]uint16, len(p)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(p[2*i:])
	}
	return string(utf16.Decode(u))
}
