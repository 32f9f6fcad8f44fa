package ntfs

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

const (
	bootSize   = 512     // bytes of the boot sector that mean something
	maxCluster = 2 << 20 // bytes; Windows 10 1709 and later
	maxRecord  = 4096    // bytes of an MFT record; Windows makes 1024 and 4096
	// Windows and every other driver count clusters in 32 bits, which bounds
	// $Bitmap to 512 MiB.
	maxClusters = 1 << 32
)

// boot is the geometry out of a boot sector (NTFS_BOOT). Offsets and sizes are
// in bytes unless named otherwise, and checked against each other, not against
// the size of the device.
type boot struct {
	sector   int64
	cluster  int64
	sectors  int64 // without the backup boot sector behind them
	clusters int64 // whole clusters in sectors
	mft      int64 // first cluster of $MFT
	mirror   int64 // first cluster of $MFTMirr
	record   int64 // bytes of an MFT record
	serial   uint64
}

// bytes is the space that sectors covers.
func (b boot) bytes() int64 { return b.sectors * b.sector }

// claimed is bytes and the backup boot sector.
func (b boot) claimed() int64 { return b.bytes() + b.sector }

func hasOEM(p []byte) bool { return bytes.Equal(p[3:11], []byte("NTFS    ")) }

// parseBoot decodes the boot sector p of at least 256 bytes, which was read at off.
func parseBoot(p []byte, off int64) (boot, error) {
	le := binary.LittleEndian
	bad := func(format string, args ...any) (boot, error) {
		return boot{}, damaged("boot sector", off, format, args...)
	}
	if !hasOEM(p) {
		return bad("no NTFS signature")
	}
	b := boot{
		sector: int64(le.Uint16(p[0x0B:])),
		serial: le.Uint64(p[0x48:]),
	}
	if b.sector < 256 || b.sector > 4096 || !powerOfTwo(b.sector) {
		return bad("%d bytes a sector", b.sector)
	}
	b.cluster = b.sector * sectorsPerCluster(p[0x0D])
	if b.cluster < 256 || b.cluster > maxCluster || !powerOfTwo(b.cluster) {
		return bad("%#02x sectors a cluster of %d bytes", p[0x0D], b.sector)
	}
	// Fields of the FAT boot sector that every NTFS driver wants to be zero.
	if le.Uint16(p[0x0E:])|le.Uint16(p[0x11:])|le.Uint16(p[0x13:])|le.Uint16(p[0x16:]) != 0 || p[0x10] != 0 {
		return bad("fields of a FAT volume are set")
	}
	sectors := le.Uint64(p[0x28:])
	perCluster := uint64(b.cluster / b.sector)
	if sectors < perCluster || sectors/perCluster > maxClusters {
		return bad("%d sectors in clusters of %d", sectors, perCluster)
	}
	b.sectors, b.clusters = int64(sectors), int64(sectors/perCluster)
	mft, mirror := le.Uint64(p[0x30:]), le.Uint64(p[0x38:])
	if mft >= uint64(b.clusters) || mirror >= uint64(b.clusters) {
		return bad("$MFT at cluster %d, $MFTMirr at %d of %d", mft, mirror, b.clusters)
	}
	b.mft, b.mirror = int64(mft), int64(mirror)
	b.record = recordSize(int8(p[0x40]), b.cluster)
	if b.record < fixupStride || b.record > maxRecord || !powerOfTwo(b.record) {
		return bad("size of MFT records is coded as %#02x", p[0x40])
	}
	return b, nil
}

// sectorsPerCluster decodes a count up to 128 as it is and a larger one, which
// is a negative power of two, as Windows has it for clusters over 64 KiB.
// 0 means invalid.
func sectorsPerCluster(v byte) int64 {
	if v <= 128 {
		return int64(v)
	}
	if shift := 256 - int(v); shift <= 13 {
		return 1 << shift
	}
	return 0
}

// recordSize decodes clusters, or a negative power of two of bytes. 0 means invalid.
func recordSize(v int8, cluster int64) int64 {
	if v > 0 {
		return int64(v) * cluster
	}
	if v > -32 {
		return 1 << -v
	}
	return 0
}

func powerOfTwo(n int64) bool { return bits.OnesCount64(uint64(n)) == 1 }
