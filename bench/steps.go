package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// steps are one round, in order. What is compared stands side by side; with all
// false, tools that no bar is about are left out.
func (s *subject) steps(device string, all bool) []step {
	const image = "disk:v1"
	deploy, compare := []string{image, s.target()}, []string{image, s.target()}
	var only []string
	if s.partition > 0 {
		only = []string{"--partition", strconv.Itoa(s.partition)}
		deploy = []string{image, fmt.Sprintf("--partition=%d=%s", s.partition, s.target())}
	}
	pc1 := s.partclone(device, "1", partcloneSave, partcloneRestore)
	list := []step{
		pc1[0],
		s.ingotStep(ingotCapture, s.warmSource, "capture", with(only, s.image, image)),
		s.ingotStep(ingotAgain, s.warmSource, "capture", with(only, s.image, "disk:v2")),
		pc1[1],
		s.ingotStep(ingotDeploy, s.blankDisk, "deploy", with(deploy, "--yes")),
		s.ingotStep(ingotVerify, nil, "verify", []string{image}),
	}
	if s.later != "" {
		list = append(list, s.ingotStep(ingotRedeploy, s.laterDisk, "deploy", with(deploy, "--yes")))
	}
	list = append(list, s.ingotStep(ingotCompare, nil, "compare", with(only, compare...)))
	if !all {
		return list
	}
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
func (s *subject) ingotStep(name string, prepare func(context.Context) error, verb string, args []string) step {
	store := filepath.Join(s.memory, "store")
	call := with(command{s.ingot, verb, "--store", store}, args...)
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
	archive := s.archive() + ".fsa" // it would add the suffix
	return []step{
		{"fsarchiver -Z1 -j2: capture", s.warmSource, []command{{"fsarchiver", "savefs", "-Z1", "-j2", archive, device}}, archive},
		{"fsarchiver -Z1 -j2: restore", s.blankVolume, []command{{"sh", "-c", restoreToLoop, archive, s.target()}}, archive},
	}
}

func (s *subject) warmSource(context.Context) error { return warm(s.image) }

func (s *subject) blankVolume(context.Context) error { return blank(s.target(), s.length) }

// taken is the part of the disk that ingot takes, in bytes.
func (s *subject) taken() (offset, length int64, err error) {
	if s.partition > 0 {
		return s.offset, s.length, nil
	}
	info, err := os.Stat(s.image)
	if err != nil {
		return 0, 0, err
	}
	return 0, info.Size(), nil
}

// blankDisk makes a target for what ingot took.
func (s *subject) blankDisk(context.Context) error {
	_, length, err := s.taken()
	if err != nil {
		return err
	}
	return blank(s.target(), length)
}

// laterDisk makes the target the later state of what ingot took.
func (s *subject) laterDisk(ctx context.Context) error {
	offset, length, err := s.taken()
	if err != nil {
		return err
	}
	if err := blank(s.target(), length); err != nil {
		return err
	}
	_, err = run(ctx, command{"dd", "bs=1M", "iflag=skip_bytes,count_bytes", "conv=sparse,notrunc",
		fmt.Sprintf("skip=%d", offset), fmt.Sprintf("count=%d", length), "if=" + s.later, "of=" + s.target()})
	return err
}
