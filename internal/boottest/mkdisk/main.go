// Command mkdisk makes a small Debian disk that boots, as a raw image file.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkdisk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mkdisk", flag.ExitOnError)
	out := flags.String("o", "disk.img", "image file to make")
	size := flags.String("size", "3G", "size in MiB or GiB, such as 2048M or 3G")
	firmware := flags.String("firmware", string(boottest.UEFI), "uefi, bios or any")
	fileSystem := flags.String("fs", "ext4", "root file system: ext4, xfs or btrfs")
	cache := flags.String("cache", "", "folder that keeps the downloaded Debian (default ~/.cache/ingot/boottest)")
	flags.Parse(args)

	fw, err := boottest.ParseFirmware(*firmware)
	if err != nil {
		return err
	}
	bytes, err := parseSize(*size)
	if err != nil {
		return err
	}
	disk := boottest.Disk{Firmware: fw, FileSystem: *fileSystem, Size: bytes, Cache: *cache}
	return disk.Build(ctx, *out)
}

// parseSize reads a whole number of MiB or GiB, such as 2048M or 3G.
func parseSize(s string) (int64, error) {
	digits, unit := strings.TrimSuffix(s, "M"), int64(1<<20)
	if strings.HasSuffix(s, "G") {
		digits, unit = strings.TrimSuffix(s, "G"), 1<<30
	}
	n, err := strconv.ParseUint(digits, 10, 24)
	if err != nil || digits == s {
		return 0, fmt.Errorf("size %q: want a number such as 3G or 2048M", s)
	}
	return int64(n) * unit, nil
}
