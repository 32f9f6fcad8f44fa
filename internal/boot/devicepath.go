package boot

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Place is a file on a partition, as a boot entry names it.
type Place struct {
	Partition int    // its number
	Start     int64  // in logical sectors
	Size      int64  // in logical sectors
	GUID      string // of the partition, upper case
	File      string // `\EFI\debian\shimx64.efi`
}

// Same reports whether both mean the same file of the same partition, wherever
// that lies. FAT ignores case.
func (p Place) Same(q Place) bool { return p.GUID == q.GUID && strings.EqualFold(p.File, q.File) }

// Nodes of a device path (UEFI 2.10, section 10.3): type, subtype, length of the
// node with these four bytes.
const (
	nodeHeader    = 4
	mediaType     = 0x04
	hardDrive     = 0x01 // section 10.3.5.1
	filePath      = 0x04 // section 10.3.5.4
	endType       = 0x7F
	endEntire     = 0xFF
	hardDriveSize = 42
	formatGPT     = 2 // partition format
	signatureGUID = 2 // signature type
)

// node splits the first node off a device path. It is false at the end, and where
// no whole node follows.
func node(b []byte) (kind, sub byte, data, rest []byte, ok bool) {
	if len(b) < nodeHeader || b[0] == endType {
		return 0, 0, nil, nil, false
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if n < nodeHeader || n > len(b) {
		return 0, 0, nil, nil, false
	}
	return b[0], b[1], b[nodeHeader:n], b[n:], true
}

// Place returns the file that an entry starts, when it names it in the way that
// ingot and all installers do: partition by GUID, then the file.
func (o LoadOption) Place() (Place, bool) {
	var p Place
	for kind, sub, data, rest, ok := node(o.Path); ok; kind, sub, data, rest, ok = node(rest) {
		switch {
		case kind == mediaType && sub == hardDrive && len(data) == hardDriveSize-nodeHeader:
			if data[36] != formatGPT || data[37] != signatureGUID {
				return Place{}, false
			}
			p.Partition = int(binary.LittleEndian.Uint32(data))
			p.Start = int64(binary.LittleEndian.Uint64(data[4:]))
			p.Size = int64(binary.LittleEndian.Uint64(data[12:]))
			p.GUID = guidString([16]byte(data[20:36]))
		case kind == mediaType && sub == filePath:
			text, _, _ := cutUTF16(append(data[:len(data):len(data)], 0, 0))
			p.File = joinPath(p.File, text)
		}
	}
	return p, p.GUID != "" && p.File != ""
}

// joinPath puts the parts of a name together, of which there may be one for each node.
func joinPath(a, b string) string {
	if a == "" {
		return b
	}
	return strings.TrimRight(a, `\`) + `\` + strings.TrimLeft(b, `\`)
}

// path is the short form of a device path that firmware completes by looking for
// the partition (section 3.1.2): HD() and File().
func (p Place) path() ([]byte, error) {
	guid, err := parseGUID(p.GUID)
	if err != nil {
		return nil, err
	}
	b := []byte{mediaType, hardDrive, hardDriveSize, 0}
	b = binary.LittleEndian.AppendUint32(b, uint32(p.Partition))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Start))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.Size))
	b = append(b, guid[:]...)
	b = append(b, formatGPT, signatureGUID)

	name := appendUTF16(nil, p.File)
	b = append(b, mediaType, filePath)
	b = binary.LittleEndian.AppendUint16(b, uint16(nodeHeader+len(name)))
	b = append(b, name...)
	return append(b, endType, endEntire, nodeHeader, 0), nil
}

// guidString spells a GUID as it lies in memory: the first three groups are
// little-endian (UEFI 2.10, appendix A).
func guidString(g [16]byte) string {
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", binary.LittleEndian.Uint32(g[:]),
		binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

func parseGUID(s string) ([16]byte, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 || len(s) != 36 {
		return [16]byte{}, fmt.Errorf("%q is not the GUID of a partition", s)
	}
	g := [16]byte(raw)
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5], g[6], g[7] = g[5], g[4], g[7], g[6]
	return g, nil
}
