package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
)

// step is one thing that a tool does, and how it is called in the report.
type step struct {
	name     string
	prepare  func(context.Context) error // not measured; may be nil
	pipeline []command
	result   string // file or folder whose size is recorded, or ""
}

// The steps that bars are about.
const (
	partcloneSave    = "partclone, zstd -1: capture"
	partcloneRestore = "partclone, zstd -1: restore"
	ingotCapture     = "ingot: first capture"
	ingotAgain       = "ingot: capture, unchanged"
	ingotDeploy      = "ingot: deploy to a blank disk"
	ingotRedeploy    = "ingot: deploy onto the later state"
	ingotVerify      = "ingot: verify"
	ingotCompare     = "ingot: compare"
)

// steps are one round, in order. What is compared stands side by side.
func (s *subject) steps(device string) []step {
	pc1 := s.partclone(device, "1", partcloneSave, partcloneRestore)
	list := []step{
		pc1[0],
		s.ingotStep(ingotCapture, s.warmSource, "capture", append(s.choose, s.image, "disk:v1")...),
		s.ingotStep(ingotAgain, s.warmSource, "capture", append(s.choose, s.image, "disk:v2")...),
		pc1[1],
		s.ingotStep(ingotDeploy, s.blankDisk, "deploy", "--yes", "disk:v1", s.target()),
		s.ingotStep(ingotVerify, nil, "verify", "disk:v1"),
	}
	if s.later != "" {
		list = append(list, s.ingotStep(ingotRedeploy, s.laterDisk, "deploy", "--yes", "disk:v1", s.target()))
	}
	list = append(list, s.ingotStep(ingotCompare, nil, "compare", "disk:v1", s.target()))
	pc3 := s.partclone(device, "3", "partclone, zstd -3: capture", "partclone, zstd -3: restore")
	list = append(list, pc3...)
	if s.kind == "extfs" {
		list = append(list, s.dd(device)...)
		list = append(list, s.fsarchiver(device)...)
	}
	return list
}

func (s *subject) target() string { return filepath.Join(s.memory, "target.img") }

// archive is where a peer saves to; one takes the place of the one before, to save memory.
func (s *subject) archive() string { return filepath.Join(s.memory, "archive") }

// ingotStep records the size of the store; a capture makes it.
func (s *subject) ingotStep(name string, prepare func(context.Context) error, verb string, args ...string) step {
	store := filepath.Join(s.memory, "store")
	call := append(command{s.ingot, verb, "--store", store}, args...)
	return step{name, prepare, []command{call}, store}
}

func (s *subject) partclone(device, level, save, restore string) []step {
	return []step{
		{save, s.warmSource, []command{
			{"partclone." + s.kind, "-c", "-L", "/dev/null", "-s", device, "-o", "-"},
			{"zstd", "-q", "-" + level, "-T0", "-f", "-o", s.archive()},
		}, s.archive()},
		{restore, s.blankVolume, []command{
			{"zstd", "-q", "-d", "-c", s.archive()},
			{"partclone.restore", "-C", "-L", "/dev/null", "-s", "-", "-O", s.target()},
		}, s.archive()},
	}
}

func (s *subject) dd(device string) []step {
	return []step{
		{"dd, zstd -1: capture", s.warmSource, []command{
			{"dd", "bs=1M", "if=" + device},
			{"zstd", "-q", "-1", "-T0", "-f", "-o", s.archive()},
		}, s.archive()},
		{"dd, zstd -1: restore", s.blankVolume, []command{
			{"zstd", "-q", "-d", "-c", s.archive()},
			{"dd", "bs=1M", "iflag=fullblock", "conv=notrunc", "of=" + s.target()},
		}, s.archive()},
	}
}

// restoreToLoop gives fsarchiver the block device that it wants.
const restoreToLoop = `loop=$(losetup --find --show "$1") && trap 'losetup --detach "$loop"' EXIT &&
fsarchiver restfs -j2 "$0" id=0,dest="$loop"`

func (s *subject) fsarchiver(device string) []step {
	return []step{
		{"fsarchiver -Z1 -j2: capture", s.warmSource, []command{{"fsarchiver", "savefs", "-o", "-Z1", "-j2", s.archive(), device}}, s.archive()},
		{"fsarchiver -Z1 -j2: restore", s.blankVolume, []command{{"sh", "-c", restoreToLoop, s.archive(), s.target()}}, s.archive()},
	}
}

func (s *subject) warmSource(context.Context) error { return warm(s.image) }

func (s *subject) blankVolume(context.Context) error { return blank(s.target(), s.length) }

// blankDisk makes the target as large as the image that holds the volume.
func (s *subject) blankDisk(context.Context) error {
	info, err := os.Stat(s.image)
	if err != nil {
		return err
	}
	return blank(s.target(), info.Size())
}

func (s *subject) laterDisk(ctx context.Context) error {
	if err := os.RemoveAll(s.target()); err != nil {
		return err
	}
	return exec.CommandContext(ctx, "cp", "--sparse=always", s.later, s.target()).Run()
}
