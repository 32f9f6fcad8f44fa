package block

import "unsafe"

// Alignment is the memory alignment, in bytes, that direct I/O asks for on every
// disk we know.
const Alignment = 4096

// AlignedBuffer returns n zero bytes of memory whose address is a multiple of
// Alignment.
func AlignedBuffer(n int) []byte {
	b := make([]byte, n+Alignment)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(b))) & (Alignment - 1))
	return b[skip : skip+n : skip+n]
}
