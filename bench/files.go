package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The steps of trees of files that bars are about.
const (
	ingotFiles     = "ingot: capture --files"
	ingotExtract   = "ingot: make the files"
	fsarchiverSave = "fsarchiver -Z1 -j2: savedir"
	fsarchiverRest = "fsarchiver -j2: restdir"
	wimlibCapture  = "wimlib: capture"
	wimlibApply    = "wimlib: apply"
)

// measureFiles takes the files of the root of disk A, and makes them again in a
// new file system, by ingot and by the tools that do the same.
func measureFiles(ctx context.Context, images, memory, ingot string, rounds int) (err error) {
	t := &treeSubject{subject: &subject{title: "Files of the root of disk A", memory: memory, ingot: ingot, samples: map[string][]sample{}}}
	t.image, t.offset, t.length = filepath.Join(images, "a.img"), 513*mib, 8704*mib
	if dir := os.Getenv("INGOT_BENCH_TREE"); dir != "" {
		t.title, t.source = "Files of "+dir, dir
	} else if err := t.mountSource(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.release()) }()
	for round := range rounds {
		for _, step := range t.treeSteps() {
			s, err := t.runStep(ctx, step)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, step.name, err)
			}
			fmt.Fprintf(os.Stderr, "%s, round %d, %s: %.2f s, cpu %.2f s, %d MiB peak, %d MiB\n", t.title, round+1, step.name,
				s.wall.Seconds(), s.cpu.Seconds(), s.peak/mib, s.size/mib)
			t.samples[step.name] = append(t.samples[step.name], s)
		}
		if err := errors.Join(t.unmountTarget(), empty(memory, ingot)); err != nil {
			return err
		}
	}
	t.report(os.Stdout)
	return nil
}

// treeSubject is a tree of files, with a file system to make it in.
type treeSubject struct {
	*subject
	source  string   // the tree
	mounted []string // folders, the last first to be unmounted
}

func (t *treeSubject) mountSource(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ingot-bench-")
	if err != nil {
		return err
	}
	t.source = dir
	return t.mount(ctx, fmt.Sprintf("loop,ro,noload,offset=%d,sizelimit=%d", t.offset, t.length), t.image, dir)
}

func (t *treeSubject) mount(ctx context.Context, options, what, dir string) error {
	out, err := exec.CommandContext(ctx, "mount", "-o", options, what, dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mount %s: %w: %s", what, err, strings.TrimSpace(string(out)))
	}
	t.mounted = append(t.mounted, dir)
	return nil
}

// treeSteps are one round: each tool takes the tree and makes it again.
func (t *treeSubject) treeSteps() []step {
	store, archive, wim, tar := filepath.Join(t.memory, "store"), t.archive()+".fsa", t.archive()+".wim", t.archive()+".tar.zst"
	to := filepath.Join(t.memory, "mnt", "tree")
	return []step{
		{fsarchiverSave, t.warmTree, []command{{"fsarchiver", "savedir", "-o", "-Z1", "-j2", archive, t.source}}, archive},
		{ingotFiles, t.warmTree, []command{{t.ingot, "capture", "--files", "--include-all", "--store", store, t.source, "tree:v1"}}, store},
		{wimlibCapture, t.warmTree, []command{{"wimlib-imagex", "capture", t.source, wim, "--unix-data", "--compress=fast", "--threads=2", "--no-acls"}}, wim},
		{"tar, zstd -1: capture", t.warmTree, []command{
			{"tar", "--xattrs", "--acls", "--sparse", "-C", t.source, "-c", "."},
			{"zstd", "-q", "-1", "-T0", "-f", "-o", tar},
		}, tar},
		{fsarchiverRest, t.emptyTarget, []command{{"fsarchiver", "restdir", "-j2", archive, to}}, ""},
		{ingotExtract, t.emptyTarget, []command{{t.ingot, "extract", "--devices", "--store", store, "tree:v1", "/", to}}, ""},
		{wimlibApply, t.emptyTarget, []command{{"wimlib-imagex", "apply", wim, "1", to, "--unix-data", "--no-acls"}}, ""},
		{"tar, zstd -1: extract", t.emptyTarget, []command{
			{"zstd", "-q", "-d", "-c", tar},
			{"tar", "--xattrs", "--xattrs-include=*", "--acls", "-C", to, "-x"},
		}, ""},
	}
}

// warmTree brings names, attributes and bytes into the caches.
func (t *treeSubject) warmTree(ctx context.Context) error {
	_, err := run(ctx, command{"tar", "--xattrs", "-C", t.source, "-c", "."}, command{"sh", "-c", "cat >/dev/null"})
	return err
}

// emptyTarget mounts a new ext4 with an empty folder for the files.
func (t *treeSubject) emptyTarget(ctx context.Context) error {
	if err := t.unmountTarget(); err != nil {
		return err
	}
	if err := blank(t.target(), t.length); err != nil {
		return err
	}
	if _, err := run(ctx, command{"mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", t.target()}); err != nil {
		return err
	}
	dir := filepath.Join(t.memory, "mnt")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := t.mount(ctx, "loop", t.target(), dir); err != nil {
		return err
	}
	return os.Mkdir(filepath.Join(dir, "tree"), 0o755)
}

func (t *treeSubject) unmountTarget() error {
	dir := filepath.Join(t.memory, "mnt")
	if n := len(t.mounted); n == 0 || t.mounted[n-1] != dir {
		return nil
	}
	t.mounted = t.mounted[:len(t.mounted)-1]
	return exec.Command("umount", dir).Run()
}

// release unmounts everything.
func (t *treeSubject) release() error {
	err := t.unmountTarget()
	for _, dir := range t.mounted {
		err = errors.Join(err, exec.Command("umount", dir).Run(), os.Remove(dir))
	}
	return err
}
