package store

import (
	"path"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

var (
	hex64 = strings.Repeat("3f", 32)
	hex32 = strings.Repeat("cd", 16)
)

func TestValidKey(t *testing.T) {
	for _, key := range []string{
		"config", "packs/" + hex64, "maps/" + hex64, "manifests/" + hex64, "indexes/" + hex64, "condemned/" + hex32,
		"sessions/" + hex32 + ".0", "sessions/" + hex32 + ".10", "names/lab/v1", "names/A.b_c-d/1..2", "names/tmp/tmp",
	} {
		if !ValidKey(key) {
			t.Errorf("%s is refused", key)
		}
	}
	for _, key := range []string{
		"", "/", "config/", "config/x", "/config", "Config", "packs/", "packs/3f", "packs/" + hex64 + "/", "packs/3f/" + hex64, "packs/" + strings.ToUpper(hex64),
		"sessions/" + hex32, "sessions/" + hex32 + ".", "sessions/" + hex32 + ".01", "sessions/" + hex32 + ".-1", "sessions/" + hex32 + ".+1", "sessions/.0",
		"condemned/x", "names/", "names/lab", "names/lab/", "names//v1", "names/../v1", "names/lab/..", "names/.lab/v1", "names/-lab/v1", "names/lab/v1/x",
		"names/lab/v1\n", "names/l ab/v1", "names/läb/v1", "names/" + strings.Repeat("n", 65) + "/v1", "other/x", "tmp/put-1",
	} {
		if ValidKey(key) {
			t.Errorf("%q is taken for a key", key)
		}
	}
}

func TestValidPrefix(t *testing.T) {
	for prefix, want := range map[string]bool{
		"": true, "packs/": true, "names/": true, "names/lab/": true, "condemned/": true,
		"packs": false, "packs/3f/": false, "names/lab": false, "names/../": false, "names//": false, "names/lab/v1/": false, "/": false, "config": false, "other/": false,
	} {
		if ValidPrefix(prefix) != want {
			t.Errorf("%q: %v", prefix, !want)
		}
	}
}

// FuzzValidKey holds that a key leads nowhere else, in a folder or in a URL.
func FuzzValidKey(f *testing.F) {
	for _, key := range []string{"config", "packs/" + hex64, "sessions/" + hex32 + ".12", "names/lab/v1", "names/a/..", "%2e%2e/x", "names/a/b?c"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if !ValidKey(key) {
			return
		}
		if path.Clean(key) != key || path.IsAbs(key) || len(key) > 135 || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") != "" {
			t.Errorf("%q", key)
		}
		if dir, _, ok := strings.Cut(key, "/"); ok && !ValidPrefix(dir+"/") {
			t.Errorf("no listing would show %q", key)
		}
		if id, ok := HashNamed(key); ok && !strings.HasSuffix(key, id.String()) {
			t.Errorf("%q is not named %v", key, id)
		}
		if writer, ok := LeaseWriter(key); ok && len(writer) != 32 {
			t.Errorf("%q is of %q", key, writer)
		}
	})
}

func TestCheckObject(t *testing.T) {
	n := Name{Name: "lab", Tag: "v1", Image: chunk.ID{1}}
	pack := []byte("of chunks")
	id := chunk.DefaultHash.Sum(pack).String()
	for key, c := range map[string]struct {
		data []byte
		ok   bool
	}{
		"packs/" + id: {pack, true}, "indexes/" + id: {pack, true}, "maps/" + hex64: {pack, false}, n.Key(): {seal(n), true}, "names/lab/v2": {seal(n), false},
		"names/lab/v3": {pack, false}, "sessions/" + hex32 + ".0": {seal(Lease{}), true}, "sessions/" + hex32 + ".1": {make([]byte, maxLease+1), false},
		"config": {seal(Config{}), true}, "condemned/" + hex32: {[]byte("{}"), false},
	} {
		if err := CheckObject(chunk.DefaultHash, key, c.data); (err == nil) != c.ok {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestWriterName(t *testing.T) {
	a, b := WriterName("secret"), WriterName("secret")
	if a == b || !strings.HasPrefix(a, WriterPrefix("secret")) || strings.HasPrefix(WriterName("other"), WriterPrefix("secret")) || !ValidKey(leaseKey(a, 0)) {
		t.Errorf("%s, %s", a, b)
	}
}
