package ext

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestMounted takes a copy of a volume while the kernel writes to it, which is
// what a power cut or a live capture would find.
func TestMounted(t *testing.T) {
	for _, test := range []struct {
		variant string
		reasons []volume.Reason
	}{
		{"ext2-1k", []volume.Reason{volume.Dirty}},
		{"ext3-1k", []volume.Reason{volume.NeedsReplay}},
		{"ext4-1k", []volume.Reason{volume.NeedsReplay}},
		{"ext4-no-journal", []volume.Reason{volume.Dirty}},
		{"ext4-mmp", []volume.Reason{volume.NeedsReplay, volume.Dirty}},
	} {
		t.Run(test.variant, func(t *testing.T) {
			path := named(t, test.variant).make(t)
			dir, unmount := volumetest.Mount(t, path)
			fill(t, dir)
			volumetest.Tool(t, "sync", "-f", dir)
			live := filepath.Join(t.TempDir(), "live.img")
			volumetest.Tool(t, "cp", "--sparse=always", path, live)
			unmount()

			refused(t, volumetest.Open(t, live), test.reasons...)
			volumetest.Keep(t, New(), volumetest.Open(t, live), "refused-mounted-"+test.variant)
			judge(t, path)
		})
	}
}

// refused fails unless exactly these waivable refusals stand, in this order,
// and each says what to do.
func refused(t testing.TB, r block.Reader, reasons ...volume.Reason) {
	t.Helper()
	v, err := New().Open(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	got := v.Info().Refusals
	if len(got) != len(reasons) {
		t.Fatalf("refusals %+v, want %v", got, reasons)
	}
	for i, reason := range reasons {
		if got[i].Reason != reason || !got[i].Waivable {
			t.Errorf("refusal %+v, want a waivable %q", got[i], reason)
		}
		volumetest.Refused(t, New(), r, reason)
	}
}

// TestStates sets what a superblock can record against its volume.
func TestStates(t *testing.T) {
	path := named(t, "ext4-default").make(t)
	for _, test := range []struct {
		name   string
		damage func(raw []byte)
		reason volume.Reason
		waive  bool
	}{
		{"journal to replay", or(offIncompat, uint32(incompatRecover)), volume.NeedsReplay, true},
		{"not unmounted", put16(offState, 0), volume.Dirty, true},
		{"errors", put16(offState, stateClean|stateErrors), volume.Dirty, true},
		{"error count", put32(offErrorCount, 3), volume.Dirty, true},
		{"orphans in recovery", put16(offState, stateClean|stateOrphans), volume.Dirty, true},
		{"unknown incompat", or(offIncompat, 1<<30), volume.Unknown, false},
		{"compression", or(offIncompat, 1), volume.Unknown, false},
		{"unknown ro_compat", or(offROCompat, 1<<30), volume.Unknown, false},
		{"snapshots", or(offROCompat, 0x80), volume.Unknown, false},
		{"revision", put32(offRevision, 2), volume.Unknown, false},
		{"checksum type", func(raw []byte) { raw[offChecksumType] = 2 }, volume.Unknown, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := withSuperblock(t, path, test.damage)
			if got := volumetest.Refused(t, New(), r, test.reason); got.Waivable != test.waive {
				t.Errorf("refusal %+v, want waivable %v", got, test.waive)
			}
		})
	}
}

func TestLongerThanItsPartition(t *testing.T) {
	r, err := block.Section(volumetest.Open(t, named(t, "ext4-default").make(t)), 0, 399*mib)
	must(t, err)
	if got := volumetest.Refused(t, New(), r, volume.Damaged); got.Waivable {
		t.Errorf("refusal %+v is waivable", got)
	}
}

// TestHarmless has what stands against nothing.
func TestHarmless(t *testing.T) {
	path := named(t, "ext4-default").make(t)
	for name, change := range map[string]func(raw []byte){
		"unknown compat": or(offCompat, 1<<30),
		"orphan list":    put32(offLastOrphan, 12),
		"orphan file":    or(offROCompat, uint32(roCompatOrphanPresent)),
	} {
		t.Run(name, func(t *testing.T) {
			v, _ := volumetest.Check(t, New(), withSuperblock(t, path, change))
			if notes := v.Info().Notes; (len(notes) == 1) != strings.Contains(name, "orphan") {
				t.Errorf("notes %q", notes)
			}
		})
	}
}

// TestMMP has the states of multiple-mount protection that a real mount does not leave.
func TestMMP(t *testing.T) {
	path := named(t, "ext4-mmp").make(t)
	raw := make([]byte, superblockSize)
	must(t, block.ReadFull(volumetest.Open(t, path), raw, superblockOffset))
	at := int64(binary.LittleEndian.Uint64(raw[offMMPBlock:])) * 4096
	if at == 0 {
		t.Fatal("mke2fs made no block for multiple-mount protection")
	}
	le := binary.LittleEndian
	for name, patch := range map[string]func(r *volumetest.Sparse){
		"checking": func(r *volumetest.Sparse) { r.Patch(at+offMMPSequence, le.AppendUint32(nil, mmpSeqCheck)) },
		"mounted":  func(r *volumetest.Sparse) { r.Patch(at+offMMPSequence, le.AppendUint32(nil, 77)) },
		"no magic": func(r *volumetest.Sparse) { r.Patch(at, make([]byte, 4)) },
		"no block": func(r *volumetest.Sparse) {
			patchSuperblock(t, r, func(raw []byte) { le.PutUint64(raw[offMMPBlock:], 0) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := recorded(t, path)
			patch(r)
			refused(t, r, volume.Dirty)
		})
	}
}

// TestJournalDevice makes a volume whose journal is a second volume.
func TestJournalDevice(t *testing.T) {
	const id = "0a1b2c3d-1111-2222-3333-444455556666"
	device := volumetest.Mkfs(t, 32*mib, "mke2fs", "-q", "-F", "-O", "journal_dev", "-b", "4096", "-L", "log", "-U", id, "{}")
	v, used := volumetest.Check(t, New(), volumetest.Open(t, device))
	info := v.Info()
	if info.Kind != "jbd" || info.UUID != id || info.Label != "log" || used.Bytes() != 32*mib {
		t.Errorf("info %+v, used %v", info, used)
	}
	volumetest.Keep(t, New(), volumetest.Open(t, device), "jbd")

	path := volumetest.Mkfs(t, 100*mib, "mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "{}")
	loop := strings.TrimSpace(volumetest.Tool(t, "losetup", "--find", "--show", device))
	t.Cleanup(func() { volumetest.Tool(t, "losetup", "--detach", loop) })
	volumetest.Tool(t, "tune2fs", "-O", "^has_journal", path)
	volumetest.Tool(t, "tune2fs", "-J", "device="+loop, path)
	info, _ = judge(t, path)
	if len(info.Notes) != 1 || !strings.Contains(info.Notes[0], id) {
		t.Errorf("notes %q, want one with the journal's UUID", info.Notes)
	}
	volumetest.Keep(t, New(), volumetest.Open(t, path), "ext4-external-journal")
}

func TestRecogniseLeavesOthersAlone(t *testing.T) {
	for name, content := range map[string][]byte{
		"empty":         nil,
		"short":         make([]byte, 1500),
		"zeros":         make([]byte, 4096),
		"magic in junk": bytes.Repeat([]byte{0x53, 0xEF}, 2048),
	} {
		path := filepath.Join(t.TempDir(), "volume.img")
		must(t, os.WriteFile(path, content, 0o600))
		r := volumetest.Open(t, path)
		if ok, err := New().Recognise(r); ok || err != nil {
			t.Errorf("%s: Recognise = %v, %v", name, ok, err)
		}
		var damage *volume.DamageError
		if _, err := New().Open(context.Background(), r); err == nil || len(content) >= 2048 && !errors.As(err, &damage) {
			t.Errorf("%s: Open: %v", name, err)
		}
	}
}
