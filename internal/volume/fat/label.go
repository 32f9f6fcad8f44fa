package fat

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
)

// maxRootBytes is the most a directory may have: 65,536 entries (fatgen103,
// "FAT Directory Structure"). It also ends a walk round a cyclic chain.
const maxRootBytes = 65536 * dirEntryBytes

// noName is what formatters write for 'no label'.
const noName = "NO NAME    "

// extended is the part of the boot sector that came with DOS 4 (BS_DrvNum to
// BS_FilSysType). It lies behind the BPB, at 0x24 or, on FAT32, at 0x40.
type extended struct {
	state    byte   // Linux and Windows NT set bit 0 while the volume is in use
	serial   string // as blkid spells it, "" when there is none
	label    string // eleven bytes, "" when there is none
	typeName string // eight bytes
}

func parseExtended(sector []byte, bits int) extended {
	at := sector[0x24:]
	if bits == 32 {
		at = sector[0x40:]
	}
	signature := at[2]
	if signature != 0x28 && signature != 0x29 {
		return extended{} // older than DOS 4: boot code lies here
	}
	serial := binary.LittleEndian.Uint32(at[3:])
	x := extended{state: at[1], serial: fmt.Sprintf("%04X-%04X", serial>>16, serial&0xffff)}
	if signature == 0x29 {
		x.label, x.typeName = string(at[7:18]), string(at[18:26])
	}
	return x
}

// readLabel returns the label as blkid picks it: the root directory's wins over
// the boot sector's. A chain that breaks ends the search; it is not this
// function's to judge.
func readLabel(ctx context.Context, r block.Reader, g *geometry, boot string) (string, error) {
	raw, err := findLabel(ctx, r, g)
	if err != nil {
		return "", err
	}
	if raw == "" || raw == noName {
		raw = boot
	}
	return printable(raw), nil
}

// findLabel looks for the volume entry of the root directory, "" when there is none.
func findLabel(ctx context.Context, r block.Reader, g *geometry) (string, error) {
	if g.bits != 32 {
		raw, _, err := searchDirectory(r, g.rootStart, g.rootSize)
		return raw, err
	}
	at := g.rootCluster
	for read := int64(0); read < maxRootBytes; read += g.clusterSize {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		raw, done, err := searchDirectory(r, g.clusterOffset(at), g.clusterSize)
		if done || err != nil {
			return raw, err
		}
		next, err := readEntry(r, g, at)
		if err != nil {
			return "", err
		}
		if next < firstCluster || int64(next) >= g.entries() {
			break
		}
		at = int64(next)
	}
	return "", nil
}

// searchDirectory looks for a volume entry in a piece of a directory, at most
// maxRootBytes long. done says that the search is over, found or not.
func searchDirectory(r block.Reader, off, length int64) (raw string, done bool, err error) {
	const (
		volumeID  = 0x08
		directory = 0x10
		longName  = 0x0f
		deleted   = 0xe5
	)
	dir := make([]byte, length)
	if err := block.ReadFull(r, dir, off); err != nil {
		return "", false, fmt.Errorf("fat: read the root directory: %w", err)
	}
	for ; len(dir) > 0; dir = dir[dirEntryBytes:] {
		attr := dir[11]
		switch {
		case dir[0] == 0:
			return "", true, nil
		case dir[0] == deleted, attr&0x3f == longName, attr&(volumeID|directory) != volumeID, firstClusterOf(dir) != 0:
			continue
		}
		return string(dir[:11]), true, nil
	}
	return "", false, nil
}

// firstClusterOf is where the contents of a directory entry begin; a label has none.
func firstClusterOf(e []byte) uint32 {
	le := binary.LittleEndian
	return uint32(le.Uint16(e[20:]))<<16 | uint32(le.Uint16(e[26:]))
}

// printable makes a label of bytes in an unknown OEM code page valid UTF-8, and
// one that means 'none' empty.
func printable(raw string) string {
	if raw == noName {
		return ""
	}
	b := []byte(strings.TrimRight(raw, " \x00"))
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}
