package volumetest

import (
	"bufio"
	"encoding/binary"
	"io"
	"os/exec"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Partclone returns the used map that partclone.NAME (such as "extfs") makes of
// an image file, and its block size. It reads partclone's image from a pipe and
// stops behind the bitmap. Format: header version 0002, 110 bytes, then one bit
// a block, least significant first.
func Partclone(t testing.TB, name, path string) (extent.List, int64) {
	t.Helper()
	cmd := exec.Command(lookTool(t, "partclone."+name), "-c", "-F", "-L", "/dev/null", "-s", path, "-o", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	r := bufio.NewReader(out)
	header := make([]byte, 110)
	if _, err := io.ReadFull(r, header); err != nil {
		t.Fatalf("partclone.%s %s: no header: %v", name, path, err)
	}
	total, blockSize := binary.LittleEndian.Uint64(header[60:]), int64(binary.LittleEndian.Uint32(header[84:]))
	var b extent.Builder
	for i := uint64(0); i < total; i += 8 {
		bits, err := r.ReadByte()
		if err != nil {
			t.Fatalf("partclone.%s %s: bitmap ends at block %d of %d: %v", name, path, i, total, err)
		}
		for j := uint64(0); j < 8 && i+j < total; j++ {
			if bits>>j&1 == 1 {
				b.Add(int64(i+j)*blockSize, blockSize)
			}
		}
	}
	return b.List(), blockSize
}

// AgainstPartclone fails when partclone counts a byte as used that our map
// leaves out, or when our map holds more than extra bytes beyond partclone's.
func AgainstPartclone(t testing.TB, name, path string, used extent.List, extra int64) {
	t.Helper()
	theirs, _ := Partclone(t, name, path)
	size := Open(t, path).Size()
	theirs = theirs.Clip(extent.Extent{Length: size})
	if missing := theirs.Subtract(used); len(missing) > 0 {
		t.Errorf("%d bytes that partclone.%s counts as used are not in our map, first %v", missing.Bytes(), name, missing[0])
	}
	if more := used.Subtract(theirs); more.Bytes() > extra {
		t.Errorf("our map holds %d bytes more than partclone.%s's, %d allowed; first %v", more.Bytes(), name, extra, more[0])
	}
}
