package ntfs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// fixupStride is the distance of update sequence numbers in bytes, whatever
// the sector size is.
const fixupStride = 512

var errTorn = errors.New("update sequence does not match: the write of it was torn")

// undoFixups puts back the two bytes at the end of each stride of p that the
// update sequence array at its start keeps (NTFS_RECORD), so that p reads as it
// was before it was written. len(p) is a multiple of the stride.
func undoFixups(p []byte) error {
	le := binary.LittleEndian
	at, count := int(le.Uint16(p[4:])), int(le.Uint16(p[6:]))
	if count != 1+len(p)/fixupStride || at < 8 || at%2 != 0 || at+2*count > fixupStride-2 {
		return fmt.Errorf("update sequence of %d at %d for %d bytes", count, at, len(p))
	}
	number := le.Uint16(p[at:])
	for end := fixupStride; end <= len(p); end += fixupStride {
		if le.Uint16(p[end-2:]) != number {
			return errTorn
		}
	}
	for i, end := 1, fixupStride; end <= len(p); i, end = i+1, end+fixupStride {
		copy(p[end-2:end], p[at+2*i:at+2*i+2])
	}
	return nil
}
