package block

import (
	"testing"
	"unsafe"
)

func TestAlignedBuffer(t *testing.T) {
	for _, n := range []int{0, 1, 511, 4096, 1 << 20} {
		b := AlignedBuffer(n)
		if address := uintptr(unsafe.Pointer(unsafe.SliceData(b))); len(b) != n || cap(b) != n || address%Alignment != 0 {
			t.Errorf("AlignedBuffer(%d): %d bytes, capacity %d, address %#x", n, len(b), cap(b), address)
		}
	}
}
