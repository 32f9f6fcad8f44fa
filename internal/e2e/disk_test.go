package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/extent"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

// disk is a disk in memory, and the image files of the volumes on it.
type disk struct {
	*blocktest.Memory
	label   string // as sfdisk names it: "gpt", "dos"; "" for a disk without a table
	volumes []placed
}

// placed is a volume at its place on a disk.
type placed struct {
	kind
	at   int64  // bytes
	path string // image file that holds what is on the disk
}

func (v placed) bytes() int64 { return v.size * mib }

// newDisk makes a disk with the given volumes at random places, and with random
// bytes, as of boot loaders, in the gaps between them.
func newDisk(t *testing.T, rng *rand.Rand, label string, sector int, kinds []kind) *disk {
	t.Helper()
	d := &disk{label: label}
	at := int64(0)
	for _, k := range kinds {
		if label != "" {
			at += 1*mib + int64(rng.IntN(3))*mib + rng.Int64N(64)*int64(sector)
		}
		v := placed{k, at, blankFile(t, k.size*mib)}
		v.make(t, v.path, sector, rng)
		d.volumes = append(d.volumes, v)
		at += v.bytes()
	}
	if label != "" {
		at += 1*mib + rng.Int64N(2000)*int64(sector)
	}
	d.Memory = blocktest.NewMemory(at, sector)
	if label != "" {
		d.divide(t, sector)
		d.bootCode(t, rng)
	}
	d.change(t, rng)
	return d
}

// divide lets sfdisk make the table.
func (d *disk) divide(t *testing.T, sector int) {
	t.Helper()
	path := blankFile(t, d.Size())
	onDevice(t, path, sector, func(dev string) {
		cmd := exec.Command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", dev)
		cmd.Stdin = strings.NewReader(d.script(int64(sector)))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("sfdisk: %v\n%s\n%s", err, d.script(int64(sector)), out)
		}
	})
	load(t, d.Memory, path, 0)
}

// script is the table for sfdisk. In an MBR all but the first are logical.
func (d *disk) script(sector int64) string {
	s := fmt.Sprintf("label: %s\nunit: sectors\n", d.label)
	for i, v := range d.volumes {
		if d.label == "dos" && i == 1 {
			start := (d.volumes[0].at + d.volumes[0].bytes()) / sector
			s += fmt.Sprintf("start=%d, size=%d, type=f\n", start, d.Size()/sector-start)
		}
		s += fmt.Sprintf("start=%d, size=%d\n", v.at/sector, v.bytes()/sector)
	}
	return s
}

// bootCode puts random bytes into every gap.
func (d *disk) bootCode(t *testing.T, rng *rand.Rand) {
	t.Helper()
	table, err := tables.Read(d)
	must(t, err)
	for _, g := range table.Gaps() {
		p := random(rng, 1+rng.IntN(int(g.Length)))
		_, err := d.WriteAt(p, g.Start+rng.Int64N(g.Length-int64(len(p))+1))
		must(t, err)
	}
}

// change changes the content of every volume, as use of the machine does.
func (d *disk) change(t *testing.T, rng *rand.Rand) {
	t.Helper()
	for _, v := range d.volumes {
		if v.change != nil {
			v.change(t, v.path, rng)
		}
		must(t, d.Zero(v.at, v.bytes()))
		load(t, d.Memory, v.path, v.at)
	}
}

// onDevice calls do with a path that tools take for a disk with the sector size.
func onDevice(t testing.TB, path string, sector int, do func(dev string)) {
	t.Helper()
	if sector == block.DefaultSectorSize {
		do(path)
		return
	}
	onLoop(t, path, sector, do)
}

// Whence values of lseek(2) that package io does not have.
const (
	seekData = 3
	seekHole = 4
)

// load copies what a sparse file holds to a place on a disk of zeros.
func load(t testing.TB, m *blocktest.Memory, path string, at int64) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	for end := int64(0); ; {
		start, err := f.Seek(end, seekData)
		if pe, ok := err.(*os.PathError); ok && pe.Err == syscall.ENXIO {
			return
		}
		must(t, err)
		end, err = f.Seek(start, seekHole)
		must(t, err)
		_, err = io.Copy(io.NewOffsetWriter(m, at+start), io.NewSectionReader(f, start, end-start))
		must(t, err)
	}
}

// extract copies a part of a disk into a sparse file.
func extract(t testing.TB, r block.Reader, at, n int64) string {
	t.Helper()
	window, err := block.Section(r, at, n)
	must(t, err)
	path := blankFile(t, n)
	for end := int64(0); end < n; {
		var start int64
		start, end, err = window.(block.Sparse).NextData(end)
		must(t, err)
		copyRange(t, path, window, extent.Extent{Start: start, Length: end - start})
	}
	return path
}

// blankFile makes a sparse file of n zeros.
func blankFile(t testing.TB, n int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blank.img")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, n))
	return path
}

// copyRange copies bytes to the same place in a file.
func copyRange(t testing.TB, path string, r block.Reader, e extent.Extent) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	defer f.Close()
	_, err = io.Copy(io.NewOffsetWriter(f, e.Start), io.NewSectionReader(r, e.Start, e.Length))
	must(t, err)
}

// garbage makes a disk full of bytes that are right nowhere.
func garbage(size int64, sector int) *blocktest.Memory {
	m := blocktest.NewMemory(size, sector)
	p := bytes.Repeat([]byte{0xA5, 0x5A, 0x99, 0x66}, 1<<18)
	for at := int64(0); at < size; at += int64(len(p)) {
		_, _ = m.WriteAt(p[:min(int64(len(p)), size-at)], at) // inside: cannot fail
	}
	return m
}
