package profile

import (
	"archive/zip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestZones holds the list against the Go distribution's, whose tzdata may be older
// or newer: nearly all is the same.
func TestZones(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib/time/zoneinfo.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	missing := 0
	for _, f := range archive.File {
		if strings.HasSuffix(f.Name, "/") || f.Name == "Factory" {
			continue
		}
		if _, known := slices.BinarySearch(zones(), f.Name); !known {
			t.Logf("%s is missing", f.Name)
			missing++
		}
	}
	if missing > 5 || len(zones()) < 500 || !slices.IsSorted(zones()) {
		t.Errorf("%d of %d zones are missing; the list is made by hand of that archive", missing, len(zones()))
	}
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kolkata"} {
		if _, err := time.LoadLocation(zone); err != nil || !slices.Contains(zones(), zone) {
			t.Errorf("%s: %v", zone, err)
		}
	}
}
