package volumetest

import "testing"

func TestPartcloneReadsItsBitmap(t *testing.T) {
	path := Mkfs(t, 64<<20, "mkfs.ext4", "-q", "-F", "{}")
	used, blockSize := Partclone(t, "extfs", path)
	if blockSize != 1024 && blockSize != 4096 || used.Bytes() == 0 {
		t.Errorf("block size %d, %d bytes used", blockSize, used.Bytes())
	}
}

func TestSparseRoundTrip(t *testing.T) {
	s := NewSparse(1 << 40)
	s.Patch(1<<39, []byte("needle"))
	again, err := ParseSparse(s.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if _, err := again.ReadAt(got, 1<<39-1); err != nil || string(got) != "\x00needle\x00" {
		t.Errorf("read %q, %v", got, err)
	}
}
