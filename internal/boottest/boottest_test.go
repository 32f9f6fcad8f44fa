package boottest

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Built disks are booted by the tests of the program, which capture and deploy
// them in between.

func TestEmptyDiskDoesNotBoot(t *testing.T) {
	image := filepath.Join(t.TempDir(), "empty,disk.img")
	if err := createSparse(image, mib); err != nil {
		t.Fatal(err)
	}
	for fw, want := range map[Firmware]string{UEFI: "UEFI Interactive Shell", BIOS: "No bootable device"} {
		t.Run(string(fw), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			serial, err := Boot(ctx, image, fw)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want one with %q; the console:\n%s", err, want, serial)
			}
		})
	}
}

func TestLayout(t *testing.T) {
	for fw, want := range map[Firmware][]string{
		UEFI: {"EFI System", "Linux filesystem", "Linux swap"},
		BIOS: {"Linux", "Extended", "Linux swap / Solaris"},
		Any:  {"BIOS boot", "EFI System", "Linux filesystem", "Linux swap"},
	} {
		t.Run(string(fw), func(t *testing.T) {
			const size = 2<<30 + 12345*512
			l, err := newLayout(fw, size)
			if err != nil {
				t.Fatal(err)
			}
			image := filepath.Join(t.TempDir(), "disk.img")
			if err := createSparse(image, size); err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			if _, err := run(ctx, l.sfdisk(), "sfdisk", "--quiet", image); err != nil {
				t.Fatal(err)
			}
			if _, err := run(ctx, "", "sfdisk", "--verify", image); err != nil {
				t.Error(err)
			}
			got, err := run(ctx, "", "sfdisk", "--list", "--output=type", "--quiet", image)
			if err != nil {
				t.Fatal(err)
			}
			if want := "Type\n" + strings.Join(want, "\n"); got != want {
				t.Errorf("partition types are %q, want %q", got, want)
			}
		})
	}
}

func TestLayoutTooSmall(t *testing.T) {
	if _, err := newLayout(UEFI, minMiB*mib); err == nil {
		t.Error("a disk without room for Debian was divided")
	}
}
