// Command bench measures ingot against other imaging tools on the disks that
// make-images made, and prints the tables of doc/performance.md.
//
// In each round every tool does its work on the same disk, one right after the
// other; a ratio is taken inside a round, and its median over the rounds is held
// against the bar. Sources are warm in the page cache, stores and targets are in
// memory, so the tools are compared and not the disk. Nothing else should run.
//
//	INGOT_BENCH       folder with the disks (default ${TMPDIR:-/var/tmp}/ingot-bench)
//	INGOT_BENCH_MEM   memory-backed folder for stores and targets (default /dev/shm), 15 GB
//	INGOT_BENCH_TREE  for files, a folder instead of the root of disk A
//	INGOT             the ingot program (default: built from this tree)
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	rounds := flags.Int("rounds", 5, "rounds per disk")
	all := flags.Int("all", 5, "rounds in which the tools that no bar is about run too")
	only := flags.String("only", "root,ntfs,xfs,btrfs,growth", "which parts to run; also files, and a, the whole disk by ingot against its root by the others")
	flags.Parse(args)

	images := cmp.Or(os.Getenv("INGOT_BENCH"), filepath.Join(cmp.Or(os.Getenv("TMPDIR"), "/var/tmp"), "ingot-bench"))
	memory, err := os.MkdirTemp(cmp.Or(os.Getenv("INGOT_BENCH_MEM"), "/dev/shm"), "ingot-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(memory)
	ingot, err := ingotProgram(ctx, memory)
	if err != nil {
		return err
	}

	describe(ctx, os.Stdout, images)
	for part := range strings.SplitSeq(*only, ",") {
		if part == "growth" {
			if err := growth(ctx, os.Stdout, images, memory, ingot); err != nil {
				return err
			}
			continue
		}
		if part == "files" {
			if err := measureFiles(ctx, images, memory, ingot, *rounds); err != nil {
				return fmt.Errorf("files: %w", err)
			}
			continue
		}
		s, err := newSubject(part, images, memory, ingot)
		if err != nil {
			return err
		}
		if err := s.measure(ctx, *rounds, *all); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
		s.report(os.Stdout)
	}
	return nil
}

// ingotProgram is $INGOT, or ingot built from this tree into the folder.
func ingotProgram(ctx context.Context, dir string) (string, error) {
	if path := os.Getenv("INGOT"); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "ingot")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "./cmd/ingot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/ingot: %w\n%s", err, out)
	}
	return path, nil
}
