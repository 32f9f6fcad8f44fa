package swap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
)

const (
	minPageSize = 4 << 10
	maxPageSize = 64 << 10

	signatureBytes = 10   // at the end of the header page
	infoOffset     = 1024 // version, last page, number of bad pages, UUID, label
	badPagesOffset = 1536 // list of bad pages
)

// tuxOnIce is the signature of TuxOnIce, at the start of the area.
const tuxOnIce = "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"

// header is what the first page of a swap area says.
type header struct {
	pageSize  int64
	size      int64  // bytes of the whole area, 0 in version 0, which does not say
	label     string // "" when there is none
	uuid      string // "" when there is none
	suspended string // name of what keeps a sleeping system here, "" when awake
}

// readHeader returns nil without an error for what is no swap area. Where the
// signature lies tells the page size.
func readHeader(r block.Reader) (*header, error) {
	for pageSize := int64(minPageSize); pageSize <= maxPageSize && pageSize <= r.Size(); pageSize *= 2 {
		page := make([]byte, pageSize)
		if err := block.ReadFull(r, page, 0); err != nil {
			return nil, fmt.Errorf("swap: read the header page: %w", err)
		}
		if h := parseHeader(page); h != nil {
			return h, nil
		}
	}
	return nil, nil
}

// parseHeader returns nil for a page that is no header. A suspended system puts
// its signature over swap's and leaves the other fields alone.
func parseHeader(page []byte) *header {
	h := &header{pageSize: int64(len(page))}
	signature := string(page[len(page)-signatureBytes:])
	switch {
	case isSuspended(signature):
		h.suspended = strings.TrimRight(signature, "\x00")
	case bytes.HasPrefix(page, []byte(tuxOnIce)):
		h.suspended = "TuxOnIce"
	}
	switch {
	case signature == "SWAP-SPACE":
		// Version 0 has no fields, a bitmap of good pages lies in their place.
		return h
	case signature != "SWAPSPACE2" && !isSuspended(signature):
		return nil
	case !h.parseInfo(page[infoOffset:]):
		return nil
	}
	return h
}

// isSuspended knows swsusp (S1SUSPEND, S2SUSPEND, LINHIB0001) and uswsusp (ULSUSPEND).
func isSuspended(signature string) bool {
	return signature == "LINHIB0001" || slices.Contains([]string{"S1SUSPEND", "S2SUSPEND", "ULSUSPEND"}, signature[:9])
}

// parseInfo reads the fields of version 1; ok is false where the kernel would
// not take them either.
func (h *header) parseInfo(info []byte) (ok bool) {
	// The fields have the byte order of the machine that ran mkswap.
	var order binary.ByteOrder = binary.LittleEndian
	if binary.BigEndian.Uint32(info) == 1 {
		order = binary.BigEndian
	}
	version, lastPage, badPages := order.Uint32(info), int64(order.Uint32(info[4:])), int64(order.Uint32(info[8:]))
	if version != 1 || lastPage == 0 || badPages > (h.pageSize-badPagesOffset-signatureBytes)/4 {
		return false
	}
	h.size = (lastPage + 1) * h.pageSize
	h.uuid = formatUUID(info[12:28])
	label, _, _ := bytes.Cut(info[28:44], []byte{0})
	h.label = strings.ToValidUTF8(string(label), "?")
	return true
}

// formatUUID spells 16 bytes as blkid does, "" when all are zero.
func formatUUID(b []byte) string {
	if len(bytes.Trim(b, "\x00")) == 0 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
