// Command boot starts a disk image in QEMU and reports when it asks for a login.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/ingot-imaging/ingot/internal/boottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "boot:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("boot", flag.ExitOnError)
	firmware := flags.String("firmware", string(boottest.UEFI), "uefi, bios or secure")
	timeout := flags.Duration("timeout", 10*time.Minute, "how long to wait for the login prompt")
	verbose := flags.Bool("v", false, "print the serial console's log")
	flags.Parse(args)
	if flags.NArg() != 1 {
		return fmt.Errorf("want one disk image, got %d", flags.NArg())
	}
	fw, err := boottest.ParseFirmware(*firmware)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	start := time.Now()
	serial, err := boottest.Boot(ctx, flags.Arg(0), fw)
	if *verbose || err != nil {
		fmt.Println(serial)
	}
	if err != nil {
		return err
	}
	fmt.Printf("%s: login prompt after %.0f s\n", flags.Arg(0), time.Since(start).Seconds())
	return nil
}
