package web

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestVendored holds that scripts of others are as they were published.
func TestVendored(t *testing.T) {
	list, err := os.ReadFile("vendored.sha256")
	if err != nil {
		t.Fatal(err)
	}
	files := loadAssets()
	for line := range strings.Lines(string(list)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sum := sha256.Sum256(files[name].data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the checksum %s, want %s", name, got, want)
		}
	}
}
