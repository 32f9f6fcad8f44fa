// Package bootenv makes the boot environment: the kernel, the RAM disk with the
// agent in it, the boot loaders and the stick, from Debian's packages.
//
// It owns what of the packages is in it and how it is put together. The same packages,
// agent and Config are the same bytes. Everything that Secure Boot checks (shim,
// GRUB, the kernel, its modules) is Debian's own, byte by byte. It does not run in
// the environment (package agent/start does), and serves nothing (package netboot).
//
// Start at Build; ISO makes a stick of what Build made, Verify checks it.
package bootenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/bootenv/apt"
	"github.com/ingot-imaging/ingot/internal/bootenv/fat"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// Config says what is built. Agent, Out and Packages are needed.
type Config struct {
	// Out is the folder that is made. One that Build made before is replaced; any
	// other that is not empty is left alone, with an error.
	Out string
	// Agent is the program that runs as PID 1: static, for amd64.
	Agent   string
	Version string // of the agent

	// Packages is the folder with Debian packages. What it lacks is fetched into it
	// from Sources, so that the next build needs no network.
	Packages string
	Offline  bool   // fetch nothing; what is missing is an error
	Update   bool   // look for newer packages though Packages has all
	Sources  string // sources.list(5) in deb822 form; "": apt.Debian

	Kernel  string   // package of the kernel; "": linux-image-amd64
	Modules []string // further kernel modules, as kmod.Tree.Choose takes them
	Extra   []string // further packages with firmware

	// Modified is the time of all files; zero: that of the newest file in the packages.
	Modified time.Time
	// ISO is what ingot.iso is told.
	ISO ISOConfig

	// Progress is told what is being done, a line each; nil: nobody listens.
	Progress func(line string)
}

// Result is what Build made.
type Result struct {
	Manifest *Manifest
	Notes    []string // what a reader should know, such as firmware that was not to be had
}

// Build makes the folder c.Out. It fails as a whole: until everything is there, what
// was in the folder before stays.
func Build(ctx context.Context, c Config) (*Result, error) {
	c = c.withDefaults()
	result, err := build(ctx, c, debian(c))
	if err != nil {
		return nil, fmt.Errorf("build the boot environment: %w", err)
	}
	return result, nil
}

func (c Config) withDefaults() Config {
	if c.Sources == "" {
		c.Sources = apt.Debian
	}
	if c.Kernel == "" {
		c.Kernel = "linux-image-amd64"
	}
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	return c
}

func build(ctx context.Context, c Config, r recipe) (*Result, error) {
	// What is cheap to find out comes before what takes a minute.
	if err := errors.Join(mayReplace(c.Out), c.ISO.check(), tool.Need(tool.Xorriso)); err != nil {
		return nil, err
	}
	agent, err := readAgent(c.Agent)
	if err != nil {
		return nil, err
	}
	set, err := gather(ctx, c, r)
	if err != nil {
		return nil, err
	}
	defer set.close()
	if c.Modified.IsZero() {
		c.Modified = set.newest()
	}
	c.Modified = c.Modified.UTC().Truncate(time.Second)
	if err := os.MkdirAll(filepath.Dir(filepath.Clean(c.Out)), 0o755); err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(filepath.Dir(filepath.Clean(c.Out)), ".bootenv-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	result, err := set.assemble(ctx, c, r, agent, folder)
	if err != nil {
		return nil, err
	}
	return result, replace(c.Out, folder)
}

// assemble makes everything in folder.
func (s *packageSet) assemble(ctx context.Context, c Config, r recipe, agent []byte, folder string) (*Result, error) {
	m := &Manifest{
		Format: manifestFormat, Agent: c.Version, Modified: c.Modified, Notes: s.notes,
		Built: Built{Kernel: c.Kernel, Modules: c.Modules, Extra: c.Extra},
	}
	if err := s.copyLoaders(r, folder); err != nil {
		return nil, err
	}
	if err := httpImage(folder, fat.Options{Modified: c.Modified}); err != nil {
		return nil, err
	}
	t, err := s.initrd(c, r, agent, m)
	if err != nil {
		return nil, err
	}
	if err := s.copyKernel(m.Kernel, folder); err != nil {
		return nil, err
	}
	c.Progress("compressing the RAM disk")
	if m.Unpacked, err = writeInitrd(ctx, filepath.Join(folder, "initrd.img"), t, c.Modified); err != nil {
		return nil, err
	}
	m.Packages = s.listed()
	if err := m.finish(folder); err != nil { // the stick is made of what the manifest lists
		return nil, err
	}
	c.Progress("making the stick")
	if err := ISO(ctx, folder, c.ISO, filepath.Join(folder, "ingot.iso")); err != nil {
		return nil, err
	}
	return &Result{Manifest: m, Notes: slices.Concat(s.trouble, m.Notes)}, m.finish(folder)
}
