package bootcfg

import (
	"bytes"
	"fmt"
	"strings"
)

// grubenvHeader begins a GRUB environment block: lines of name=value, filled with
// '#' to a size that never changes, since GRUB writes it in place
// (include/grub/lib/envblk.h).
const grubenvHeader = "# GRUB Environment Block\n"

// EditGrubenv applies edit to the lines of an environment block and keeps its
// size. What is no environment block is returned as it is.
func EditGrubenv(block []byte, edit func([]byte) []byte) ([]byte, error) {
	if !bytes.HasPrefix(block, []byte(grubenvHeader)) {
		return block, nil
	}
	body := bytes.TrimRight(block[len(grubenvHeader):], "#")
	edited := edit(body)
	if bytes.Equal(body, edited) {
		return block, nil
	}
	room := len(block) - len(grubenvHeader) - len(edited)
	if room < 0 {
		return nil, fmt.Errorf("the GRUB environment block of %d bytes is too small for what changed", len(block))
	}
	return append([]byte(grubenvHeader+string(edited)), bytes.Repeat([]byte("#"), room)...), nil
}

// AddEnvArgs adds arguments to the variable kernelopts, where there is one: the
// command line of RHEL 8.
func AddEnvArgs(body []byte, args []string) []byte {
	lines := strings.SplitAfter(string(body), "\n")
	for i, line := range lines {
		if value, ok := strings.CutPrefix(line, "kernelopts="); ok {
			text := strings.TrimRight(value, "\n ")
			lines[i] = "kernelopts=" + appendArgs(text, args) + value[len(text):]
		}
	}
	return []byte(strings.Join(lines, ""))
}
