package files

import "golang.org/x/sys/unix"

// A swap file keeps its first page, which makes it one (union swap_header of
// linux/swap.h) and holds its UUID; what was swapped out means nothing later.
const (
	swapHead  = 4096
	swapMagic = "SWAPSPACE2"
)

// isSwap looks for the signature at the end of the first page.
func isSwap(fd int, size int64) bool {
	if size < 10*swapHead {
		return false
	}
	var end [len(swapMagic)]byte
	n, err := unix.Pread(fd, end[:], swapHead-int64(len(end)))
	return err == nil && n == len(end) && string(end[:]) == swapMagic
}
