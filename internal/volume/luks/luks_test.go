package luks

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const size = 20 << 20

// luksFormat makes a volume with cryptsetup and a key derivation that takes no time.
func luksFormat(t *testing.T, args ...string) (path, key string) {
	t.Helper()
	key = t.TempDir() + "/key"
	if err := os.WriteFile(key, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	command := []string{"cryptsetup", "--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--key-file", key}
	command = append(append(command, "luksFormat"), append(args, "{}")...)
	return volumetest.Mkfs(t, size, command...), key
}

func TestVariants(t *testing.T) {
	for name, args := range map[string][]string{
		"luks1":          {"--type", "luks1"},
		"luks2":          {"--type", "luks2"},
		"luks2-labelled": {"--type", "luks2", "--label", "Büro"},
		"luks2-32k":      {"--type", "luks2", "--luks2-metadata-size", "32k"},
		"luks2-4m":       {"--type", "luks2", "--luks2-metadata-size", "4m", "--luks2-keyslots-size", "1m"},
		"luks2-sha512":   {"--type", "luks2", "--hash", "sha512", "--sector-size", "512"},
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := luksFormat(t, args...)
			r := volumetest.Open(t, path)
			v, used := volumetest.Check(t, New(), r)
			info := v.Info()
			if want := extent.Of(extent.Extent{Length: size}); len(used) != 1 || used[0] != want[0] {
				t.Errorf("used %v", used)
			}
			dump := volumetest.Tool(t, "cryptsetup", "luksDump", path)
			if want := dumped(dump, "UUID"); info.UUID != want {
				t.Errorf("UUID %q, luksDump says %q", info.UUID, want)
			}
			if want := "luks" + dumped(dump, "Version"); info.Kind != want {
				t.Errorf("kind %q, luksDump says %q", info.Kind, want)
			}
			if want := dumped(dump, "Label"); info.Label != want && want != "(no label)" {
				t.Errorf("label %q, luksDump says %q", info.Label, want)
			}
			if len(info.Notes) != 1 || !strings.Contains(info.Notes[0], "encrypted") {
				t.Errorf("notes %q", info.Notes)
			}
			volumetest.Keep(t, New(), r, name)
		})
	}
}

// dumped is the value of a field in the output of cryptsetup luksDump.
func dumped(dump, field string) string {
	m := regexp.MustCompile(`(?m)^` + field + `:\s*(.*)$`).FindStringSubmatch(dump)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

func TestReencryption(t *testing.T) {
	path, key := luksFormat(t, "--type", "luks2")
	volumetest.Tool(t, "cryptsetup", "--batch-mode", "reencrypt", "--init-only", "--pbkdf", "pbkdf2",
		"--pbkdf-force-iterations", "1000", "--key-file", key, path)
	r := volumetest.Open(t, path)
	if refusal := volumetest.Refused(t, New(), r, volume.Dirty); !refusal.Waivable {
		t.Error("the refusal cannot be waived")
	}
	volumetest.Keep(t, New(), r, "refused-reencryption")
}

func TestDamagedHeaders(t *testing.T) {
	headers := make([]byte, 32<<10)
	path, _ := luksFormat(t, "--type", "luks2")
	if err := block.ReadFull(volumetest.Open(t, path), headers, 0); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, note string
		patch      func(*volumetest.Sparse)
		recognised bool
	}{
		{"first wiped", "second one is intact", func(s *volumetest.Sparse) { s.Patch(0, make([]byte, 4096)) }, true},
		{"first flipped", "second one is intact", func(s *volumetest.Sparse) { s.Patch(5000, []byte{0xFF}) }, true},
		{"both flipped", "Neither", func(s *volumetest.Sparse) {
			s.Patch(5000, []byte{0xFF})
			s.Patch(16384+5000, []byte{0xFF})
		}, true},
		{"both wiped", "", func(s *volumetest.Sparse) { s.Patch(0, make([]byte, 32768)) }, false},
		{"future version", "not known", func(s *volumetest.Sparse) { s.Patch(7, []byte{3}) }, true},
		{"LUKS1 reencryption", "encrypted", func(s *volumetest.Sparse) { s.Patch(0, []byte("LUKS\xde\xad\x00\x01")) }, true},
	} {
		s := volumetest.NewSparse(size)
		s.Patch(0, headers)
		test.patch(s)
		ok, err := New().Recognise(s)
		if ok != test.recognised || err != nil {
			t.Errorf("%s: Recognise = %v, %v", test.name, ok, err)
		}
		if !ok {
			continue
		}
		v, err := New().Open(t.Context(), s)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if notes := strings.Join(v.Info().Notes, " "); !strings.Contains(notes, test.note) {
			t.Errorf("%s: notes %q", test.name, notes)
		}
		if _, err := v.Used(t.Context()); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, New()) }

func FuzzOpen(f *testing.F) { volumetest.Fuzz(f, New()) }
