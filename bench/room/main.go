// Command room measures how fast a server gives one image to a room of PCs, against
// nginx with the same files: the load bar of doc/performance.md, "A room of PCs".
//
// Agents are simulated by the real client with a disk that takes everything; they run
// in this process, each server in one of its own, and all share the machine's cores.
// In each round both servers do the same, in alternating order; a ratio is taken
// inside a round, and the median over the rounds is held against the bar.
//
// It needs the Debian package nginx-light (or nginx), and nothing else should run. With
// -full it measures the whole server with all that agents say, see full.go.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

// options are what the flags say.
type options struct {
	agents, readers int
	image           int // MiB of packs
	rounds          int
	folder          string
	plain           bool
	full            bool
	profile         string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "room:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var o options
	var served serving
	flag.IntVar(&o.agents, "agents", 50, "machines")
	flag.IntVar(&o.readers, "readers", 4, "connections of each: what a PC with 2 cores has")
	flag.IntVar(&o.image, "image", 256, "MiB of packs of the image")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds")
	flag.StringVar(&o.folder, "folder", "", "where the store lies (default: a temporary folder)")
	flag.BoolVar(&o.plain, "plain", false, "measure HTTP without TLS too")
	flag.BoolVar(&o.full, "full", false, "measure the whole server instead: pages while a room reports, and a room that deploys at once, against the bare data plane; needs no nginx")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of ingot's server to this file")
	flag.StringVar(&served.store, "serve", "", "for this program itself: serve this store")
	flag.StringVar(&served.tls, "tls", "", "for this program itself: folder of the certificate")
	flag.Parse()
	if served.store != "" {
		served.profile = o.profile
		return served.run(ctx)
	}

	folder, err := os.MkdirTemp(o.folder, "ingot-room-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chmod(folder, 0o755); err != nil { // nginx works as somebody else
		return err
	}
	if o.full {
		return measureFull(ctx, os.Stdout, o, folder)
	}
	room, err := prepare(ctx, folder, o.image<<20)
	if err != nil {
		return err
	}
	if err := describe(ctx, os.Stdout, o, room); err != nil {
		return err
	}
	for _, secure := range []bool{true, false}[:1+b2i(o.plain)] {
		for _, work := range []agentWork{transfer, deploying} {
			t := newTable(secure, work)
			if err := t.measure(ctx, o, room, filepath.Join(folder, "run")); err != nil {
				return err
			}
			t.print(os.Stdout)
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
