package btrfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
)

// checksumSize is the room that superblocks and tree blocks have at their start
// for a checksum of everything behind it (BTRFS_CSUM_SIZE).
const checksumSize = 32

// checksum appends the checksum of data to dst.
type checksum func(dst, data []byte) []byte

// checksumOf returns the algorithm of a csum_type (enum btrfs_csum_type).
func checksumOf(csumType uint16) (checksum, bool) {
	switch csumType {
	case 0:
		return crc32c, true
	case 1:
		return xxhash64, true
	case 2:
		return sha256sum, true
	case 3:
		return blake2b256, true
	}
	return nil, false
}

func crc32c(dst, data []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
}

func xxhash64(dst, data []byte) []byte {
	return binary.LittleEndian.AppendUint64(dst, xxhash.Sum64(data))
}

func sha256sum(dst, data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(dst, sum[:]...)
}

func blake2b256(dst, data []byte) []byte {
	sum := blake2b.Sum256(data)
	return append(dst, sum[:]...)
}

// matches reports whether p, of more than checksumSize bytes, begins with the
// checksum of its rest.
func (c checksum) matches(p []byte) bool {
	var room [checksumSize]byte
	return bytes.HasPrefix(p, c(room[:0], p[checksumSize:]))
}
