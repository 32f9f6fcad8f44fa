package bitlocker_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/bitlocker"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const (
	size     = 4 << 20
	metadata = 1 << 20
	guid     = "8f595209-f5b9-49a0-85c9-cb8f80258c27"
)

var (
	normalGUID    = []byte{0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01}
	usedSpaceGUID = []byte{0x3B, 0x4D, 0xA8, 0x92, 0x80, 0xDD, 0x0E, 0x4D, 0x9E, 0x4E, 0xB1, 0xE3, 0x28, 0x4E, 0xAE, 0xD8}
)

// image writes a volume of zeros with a boot sector and one copy of the
// metadata, as far as the tools look. Nothing on Linux makes a real one.
func image(t testing.TB, boot, block []byte) string {
	t.Helper()
	data := make([]byte, size)
	copy(data, boot)
	copy(data[metadata:], block)
	path := filepath.Join(t.TempDir(), "volume.img")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// bootSector has the GUID at an offset, which 0 leaves out.
func bootSector(jump byte, oem string, guidAt int, guid []byte) []byte {
	p := make([]byte, 512)
	copy(p, []byte{0xEB, jump, 0x90})
	copy(p[3:], oem)
	binary.LittleEndian.PutUint16(p[0x0B:], 512)
	p[0x0D] = 8
	copy(p[510:], []byte{0x55, 0xAA})
	if guidAt == 0 {
		binary.LittleEndian.PutUint64(p[0x38:], metadata/(8*512))
		return p
	}
	copy(p[guidAt:], guid)
	for i := range 3 {
		binary.LittleEndian.PutUint64(p[guidAt+16+8*i:], metadata)
	}
	return p
}

// metadataBlock is a block header, a metadata header and one entry, the
// encrypted volume key.
func metadataBlock(version uint16) []byte {
	const entry = 8 + 12 + 16 + 44 // header, nonce, MAC, key
	le := binary.LittleEndian
	p := make([]byte, 112+entry)
	copy(p, "-FVE-FS-")
	le.PutUint16(p[8:], 112/16)
	le.PutUint16(p[10:], version)
	le.PutUint16(p[12:], 4) // encrypted
	le.PutUint16(p[14:], 4)
	le.PutUint64(p[16:], size)
	le.PutUint32(p[28:], 16)
	for i := range 3 {
		le.PutUint64(p[32+8*i:], metadata)
	}
	le.PutUint64(p[56:], metadata+1<<16)
	le.PutUint32(p[64:], 48+entry)
	le.PutUint32(p[68:], 1)
	le.PutUint32(p[72:], 48)
	le.PutUint32(p[76:], 48+entry)
	copy(p[80:], []byte{0x09, 0x52, 0x59, 0x8F, 0xB9, 0xF5, 0xA0, 0x49, 0x85, 0xC9, 0xCB, 0x8F, 0x80, 0x25, 0x8C, 0x27})
	le.PutUint16(p[100:], 0x8004)                  // AES-XTS with 128 bits
	le.PutUint64(p[104:], 132_000_000_000_000_000) // made in 2019
	le.PutUint16(p[112:], entry)
	le.PutUint16(p[114:], 3) // the full volume encryption key
	le.PutUint16(p[116:], 5) // encrypted
	le.PutUint16(p[118:], 1)
	return p
}

func TestVariants(t *testing.T) {
	for _, c := range []struct {
		name        string
		boot, block []byte
		uuid        string
		dumps       bool // cryptsetup reads it too
	}{
		{"windows-7", bootSector(0x58, "-FVE-FS-", 0xA0, normalGUID), metadataBlock(2), guid, true},
		{"to-go", bootSector(0x58, "MSWIN4.1", 0x1A8, normalGUID), metadataBlock(2), guid, true},
		{"used-space-only", bootSector(0x58, "-FVE-FS-", 0xA0, usedSpaceGUID), metadataBlock(2), guid, false},
		{"vista", bootSector(0x52, "-FVE-FS-", 0, nil), metadataBlock(1), guid, false},
		{"without-metadata", bootSector(0x58, "-FVE-FS-", 0xA0, normalGUID), nil, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := image(t, c.boot, c.block)
			r := volumetest.Open(t, path)
			v, used := volumetest.Check(t, bitlocker.New(), r)
			volumetest.Keep(t, bitlocker.New(), r, c.name)
			info := v.Info()
			if info.Kind != "bitlocker" || info.UUID != c.uuid || info.Used != -1 || len(info.Notes) != 1 {
				t.Errorf("%+v", info)
			}
			if used.Bytes() != size {
				t.Errorf("%d bytes used of %d", used.Bytes(), size)
			}
			if c.uuid != "" {
				if out := volumetest.Tool(t, "blkid", "-p", path); !strings.Contains(out, `TYPE="BitLocker"`) {
					t.Errorf("blkid: %s", out)
				}
			}
			if c.dumps {
				if out := volumetest.Tool(t, "cryptsetup", "bitlkDump", path); !strings.Contains(out, guid) {
					t.Errorf("cryptsetup:\n%s", out)
				}
			}
		})
	}
}

// TestOthers keeps hands off the formats whose boot sectors look alike.
func TestOthers(t *testing.T) {
	for name, command := range map[string][]string{
		"fat32": {"mkfs.vfat", "-F", "32", "{}"},
		"ntfs":  {"mkntfs", "-q", "-Q", "-F", "-p", "0", "-H", "0", "-S", "0", "{}"},
	} {
		r := volumetest.Open(t, volumetest.Mkfs(t, 64<<20, command...))
		if ok, err := bitlocker.New().Recognise(r); ok || err != nil {
			t.Errorf("%s: Recognise = %v, %v", name, ok, err)
		}
	}
	tiny := volumetest.NewSparse(100)
	if ok, err := bitlocker.New().Recognise(tiny); ok || err != nil {
		t.Errorf("100 bytes: Recognise = %v, %v", ok, err)
	}
	if _, err := bitlocker.New().Open(context.Background(), tiny); err == nil {
		t.Error("opened 100 bytes")
	}
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, bitlocker.New()) }

func FuzzVolume(f *testing.F) { volumetest.Fuzz(f, bitlocker.New()) }
