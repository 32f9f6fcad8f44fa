package swap_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/swap"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

func TestVariants(t *testing.T) {
	for _, pageSize := range []int64{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10} {
		for _, label := range []string{"", "swap area"} {
			name := fmt.Sprintf("%dk%s", pageSize>>10, strings.ReplaceAll(label, " ", "-"))
			t.Run(name, func(t *testing.T) {
				args := []string{"mkswap", "-q", "-p", fmt.Sprint(pageSize), "{}"}
				if label != "" {
					args = append(args, "-L", label)
				}
				judge(t, volumetest.Mkfs(t, 4*mib+512, args...), label, pageSize)
			})
		}
	}
}

func judge(t *testing.T, path, label string, pageSize int64) {
	v, used := volumetest.Check(t, swap.New(), volumetest.Open(t, path))
	info := v.Info()
	blkid := volumetest.Blkid(t, path)
	if got, want := [3]string{info.Kind, info.Label, info.UUID}, [3]string{blkid["TYPE"], label, blkid["UUID"]}; got != want || blkid["LABEL"] != label {
		t.Errorf("kind, label, UUID %q, want %q", got, want)
	}
	if info.Size != 4*mib || info.BlockSize != pageSize || used.Bytes() != info.Size {
		t.Errorf("%+v, %d bytes used", info, used.Bytes())
	}
	omitted, err := v.(volume.Omitter).Omit(context.Background())
	if err != nil || len(omitted) != 1 {
		t.Fatalf("omissions %v, %v, want one", omitted, err)
	}
	kept := used.Subtract(omitted[0].Extents)
	if len(kept) != 1 || kept[0] != (extent.Extent{Length: pageSize}) {
		t.Errorf("without %s there remains %v, want the first page", omitted[0].Name, kept)
	}
	restored := volumetest.Restore(t, path, kept)
	if got, want := volumetest.Blkid(t, restored), blkid; got["UUID"] != want["UUID"] || got["LABEL"] != want["LABEL"] {
		t.Errorf("blkid says %q of the restored area, %q of the original", got, want)
	}
	if pageSize == 4<<10 {
		volumetest.Tool(t, "swaplabel", restored)
	}
	volumetest.Keep(t, swap.New(), volumetest.Open(t, path), fmt.Sprintf("%dk", pageSize>>10))
}

func fixture(t *testing.T) *volumetest.Sparse {
	t.Helper()
	s, err := volumetest.ReadFixture("testdata/4k.sparse.gz")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSuspended(t *testing.T) {
	for _, c := range []struct {
		off       int64
		signature string
	}{
		{4096 - 10, "S1SUSPEND\x00"},
		{4096 - 10, "S2SUSPEND\x00"},
		{4096 - 10, "ULSUSPEND\x00"},
		{4096 - 10, "LINHIB0001"},
		{0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c"}, // TuxOnIce
	} {
		s := fixture(t)
		s.Patch(c.off, []byte(c.signature))
		if ok, err := swap.New().Recognise(s); !ok || err != nil {
			t.Errorf("%q: Recognise = %v, %v", c.signature, ok, err)
		}
		if refusal := volumetest.Refused(t, swap.New(), s, volume.Hibernated); !refusal.Waivable {
			t.Errorf("%q: not waivable", c.signature)
		}
		v, err := swap.New().Open(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		omitted, err := v.(volume.Omitter).Omit(context.Background())
		if err != nil || len(omitted) != 0 {
			t.Errorf("%q: the sleeping system would be left out: %v, %v", c.signature, omitted, err)
		}
	}
}

func TestVersion0(t *testing.T) {
	s := volumetest.NewSparse(mib)
	s.Patch(4096-10, []byte("SWAP-SPACE"))
	v, used := volumetest.Check(t, swap.New(), s)
	if info := v.Info(); info.Size != mib || info.UUID != "" || used.Bytes() != mib {
		t.Errorf("%+v, %d bytes used", info, used.Bytes())
	}
	if omitted, err := v.(volume.Omitter).Omit(context.Background()); err != nil || len(omitted) != 0 {
		t.Errorf("omissions %v, %v; want none", omitted, err)
	}
}

func TestBigEndian(t *testing.T) {
	s := fixture(t)
	s.Patch(1024, []byte{0, 0, 0, 1, 0, 0, 0, 0x7f})
	v, _ := volumetest.Check(t, swap.New(), s)
	if size := v.Info().Size; size != 0x80*4096 {
		t.Errorf("size %d", size)
	}
}

func TestLongerThanPartition(t *testing.T) {
	s := fixture(t)
	s.Patch(1028, []byte{0xff, 0xff, 0xff, 0xff})
	v, used := volumetest.Check(t, swap.New(), s)
	if info := v.Info(); len(info.Notes) != 1 || used.Bytes() != s.Size() {
		t.Errorf("%+v, %d bytes used", info, used.Bytes())
	}
}

func TestNotSwap(t *testing.T) {
	noVersion, noPages, badPages := fixture(t), fixture(t), fixture(t)
	badPages.Patch(1032, []byte{0x7e, 2})
	noVersion.Patch(1024, []byte{2})
	noPages.Patch(1028, []byte{0, 0, 0, 0})
	for name, s := range map[string]*volumetest.Sparse{
		"empty":         volumetest.NewSparse(mib),
		"tiny":          volumetest.NewSparse(100),
		"version 2":     noVersion,
		"without pages": noPages,
		"638 bad pages": badPages,
	} {
		if ok, err := swap.New().Recognise(s); ok || err != nil {
			t.Errorf("%s: Recognise = %v, %v", name, ok, err)
		}
	}
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, swap.New()) }

func FuzzSwap(f *testing.F) { volumetest.Fuzz(f, swap.New()) }
