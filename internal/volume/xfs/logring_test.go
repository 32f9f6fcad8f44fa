package xfs

import (
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// ring writes the blocks of a log one record after the other. Its present cycle
// is 5; what it has not reached yet is of cycle 4.
type ring struct {
	blocks  []byte
	version uint32
	uuid    uuid
}

const ringCycle = 5

// put writes a record of one header and dataBlocks blocks at the given block of
// the ring, and returns where the next one goes.
func (g *ring) put(at, dataBlocks int, cycle uint32, ops uint32, flags byte) int {
	total := len(g.blocks) / daddrSize
	block := func(i int) []byte { return g.blocks[(at+i)%total*daddrSize:][:daddrSize] }
	h := block(0)
	clear(h)
	_, err := binary.Encode(h, binary.BigEndian, recordHeader{
		Magic: recordMagic, Cycle: cycle, Version: g.version, Length: uint32(dataBlocks * daddrSize),
		LSNCycle: cycle, LSNBlock: uint32(at), Ops: ops, Size: headerCovers,
	})
	if err != nil {
		panic(err)
	}
	copy(h[24:], h[16:24])                 // h_tail_lsn: the record itself
	binary.BigEndian.PutUint32(h[300:], 1) // h_fmt: little-endian Linux
	copy(h[304:], g.uuid[:])
	for i := 1; i <= dataBlocks; i++ {
		b := block(i)
		clear(b)
		binary.BigEndian.PutUint32(b, cycle)
		if at+i >= total {
			binary.BigEndian.PutUint32(b, cycle+1)
		}
	}
	op := block(1)
	binary.BigEndian.PutUint32(op[4:], 8) // oh_len
	op[8], op[opFlagsOffset] = 0xaa, flags
	copy(op[12:], "nU") // struct xfs_unmount_log_format, in host order
	return at + 1 + dataBlocks
}

// lap fills the ring up to a block with records of 8 blocks and a shorter last one.
func (g *ring) lap(upTo int, cycle uint32) {
	for at := 0; at < upTo; {
		at = g.put(at, min(7, upTo-at-1), cycle, 3, 0)
	}
}

// TestLogRing puts the unmount record where a real log seldom has it, and lets
// xfs_logprint judge.
func TestLogRing(t *testing.T) {
	const unmount = unmountTransOp
	tests := []struct {
		name  string
		clean bool
		write func(g *ring, end int)
	}{
		{"zeroed", true, func(g *ring, end int) { clear(g.blocks) }},
		{"in the middle", true, func(g *ring, end int) { g.lap(end/2, ringCycle); g.put(end/2, 1, ringCycle, 1, unmount) }},
		{"at the start", true, func(g *ring, end int) { g.put(0, 1, ringCycle, 1, unmount) }},
		{"at the end", true, func(g *ring, end int) { g.lap(end-2, ringCycle); g.put(end-2, 1, ringCycle, 1, unmount) }},
		{"over the seam", true, func(g *ring, end int) { g.put(end-1, 1, ringCycle-1, 1, unmount) }},
		{"longer, over the seam", true, func(g *ring, end int) { g.put(end-3, 7, ringCycle-1, 1, unmount) }},
		{"followed by a record", false, func(g *ring, end int) { g.put(g.put(0, 1, ringCycle, 1, unmount), 3, ringCycle, 3, 0) }},
		{"with a second operation", false, func(g *ring, end int) { g.put(0, 1, ringCycle, 2, unmount) }},
		{"missing", false, func(g *ring, end int) { g.lap(end/2, ringCycle) }},
		{"missing, head at the end", false, func(g *ring, end int) { g.lap(end, ringCycle) }},
	}
	for _, args := range [][]string{{"-l", "version=1,size=6m"}, {"-l", "version=2,size=6m"}} {
		path := mkfs(t, 300*mib, append([]string{"mkfs.xfs", "-q", "-f", "-m", "crc=0"}, args...)...)
		for _, test := range tests {
			t.Run(args[1]+" "+test.name, func(t *testing.T) {
				sb := geometry(t, path)
				g := &ring{make([]byte, int(sb.LogBlocks)*int(sb.BlockSize)), uint32(args[1][8] - '0'), sb.UUID}
				end := len(g.blocks) / daddrSize
				g.lap(end, ringCycle-1)
				test.write(g, end)
				overwrite(t, path, sb.logOffset(), g.blocks)
				if clean, err := logIsClean(context.Background(), volumetest.Open(t, path), sb); err != nil || clean != test.clean {
					t.Errorf("clean %v, %v, want %v", clean, err, test.clean)
				}
				// It goes on to the operations, which make no sense, and fails.
				out, _ := exec.Command("xfs_logprint", "-t", path).CombinedOutput()
				if clean := strings.Contains(string(out), "state: <CLEAN>"); clean != test.clean {
					t.Errorf("xfs_logprint, want clean %v: %s", test.clean, out)
				}
			})
		}
	}
}

// A block of the last time round among those written last means that writes
// went missing, and the record at the head need not be the last.
func TestLogHole(t *testing.T) {
	g := &ring{blocks: make([]byte, 6*mib), version: 2}
	end := len(g.blocks) / daddrSize
	g.lap(end, ringCycle-1)
	g.lap(end/2, ringCycle)
	g.put(end/2, 1, ringCycle, 1, unmountTransOp)
	sb := &superblock{BlockSize: 4096, AGBlocks: 1 << 16, AGCount: 1, AGBlockBits: 16, LogStart: 1, LogBlocks: 6 * mib / 4096}
	s := volumetest.NewSparse(16 * mib)
	s.Patch(sb.logOffset(), g.blocks)
	if clean, err := logIsClean(context.Background(), s, sb); err != nil || !clean {
		t.Fatalf("clean %v, %v", clean, err)
	}
	s.Patch(sb.logOffset()+int64(end/2-1000)*daddrSize, []byte{0, 0, 0, ringCycle - 1})
	if clean, err := logIsClean(context.Background(), s, sb); err != nil || clean {
		t.Errorf("with a hole: clean %v, %v", clean, err)
	}
}

func overwrite(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}
