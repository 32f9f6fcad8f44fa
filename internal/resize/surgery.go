package resize

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/btrfs"
	"github.com/ingot-imaging/ingot/internal/volume/exfat"
	"github.com/ingot-imaging/ingot/internal/volume/ext"
	"github.com/ingot-imaging/ingot/internal/volume/fat"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/swap"
	"github.com/ingot-imaging/ingot/internal/volume/xfs"
)

// surgery is what can be done to volumes of one family. Actions without needs are
// not possible, and their functions nil.
type surgery struct {
	format  volume.Format
	needs   map[Action][]tool.Name
	instead string // what to do when an action is not possible

	minimum func(ctx context.Context, v Volume, info volume.Info) (int64, error) // what nothing can be smaller than
	margin  func(minimum int64) int64                                            // what is added to it to be sure
	grow    func(ctx context.Context, v Volume, size int64) (notes []string, err error)
	shrink  func(ctx context.Context, v Volume, size int64) (notes []string, err error)
	check   func(ctx context.Context, v Volume) error
	make    func(ctx context.Context, v Volume, s Spec) error
	spec    func(r block.Reader, s *Spec) error // adds what the format tells

	info volume.Info // of the volume, once somebody looked
}

// surgeryOf returns what does a to volumes of a kind, or a *NotPossibleError.
func surgeryOf(kind string, a Action) (surgery, error) {
	var s surgery
	switch kind {
	case "ext2", "ext3", "ext4":
		s = extSurgery()
	case "xfs":
		s = xfsSurgery()
	case "btrfs":
		s = btrfsSurgery()
	case "ntfs":
		s = ntfsSurgery()
	case "fat12", "fat16", "fat32":
		s = fatSurgery()
	case "exfat":
		s = exfatSurgery()
	case "swap":
		s = swapSurgery()
	}
	if _, ok := s.needs[a]; !ok {
		return s, &NotPossibleError{kind, a, s.instead}
	}
	return s, nil
}

const rebuild = "It can be made anew, and its files copied."

func extSurgery() surgery {
	return surgery{
		format: ext.New(),
		needs: map[Action][]tool.Name{
			Measuring: {},
			Growing:   {tool.E2fsck, tool.Resize2fs},
			Shrinking: {tool.E2fsck, tool.Resize2fs, tool.Debugfs},
			Checking:  {tool.E2fsck},
			Making:    {tool.MkfsExt4},
		},
		minimum: extMinimum, margin: extMargin, grow: growExt, shrink: shrinkExt, check: checkExt, make: makeExt, spec: specExt,
	}
}

func xfsSurgery() surgery {
	return surgery{
		format:  xfs.New(),
		instead: rebuild,
		needs:   map[Action][]tool.Name{Growing: {tool.XFSGrow}, Checking: {tool.XFSRepair}, Making: {tool.MkfsXFS}},
		grow:    growXFS, check: checkXFS, make: makeXFS, spec: specXFS,
	}
}

func btrfsSurgery() surgery {
	return surgery{
		format: btrfs.New(),
		needs: map[Action][]tool.Name{
			Measuring: {tool.Btrfs}, Growing: {tool.Btrfs}, Shrinking: {tool.Btrfs}, Checking: {tool.Btrfs}, Making: {tool.MkfsBtrfs},
		},
		minimum: btrfsMinimum, margin: btrfsMargin, grow: growBtrfs, shrink: shrinkBtrfs, check: checkBtrfs, make: makeBtrfs, spec: specBtrfs,
	}
}

func ntfsSurgery() surgery {
	return surgery{
		format: ntfs.New(),
		needs: map[Action][]tool.Name{
			Measuring: {tool.NTFSResize}, Growing: {tool.NTFSResize}, Shrinking: {tool.NTFSResize},
			Checking: {tool.NTFSResize, tool.NTFSFix}, Making: {tool.MkNTFS},
		},
		minimum: ntfsMinimum, margin: ntfsMargin, grow: resizeNTFS, shrink: resizeNTFS, check: checkNTFS, make: makeNTFS, spec: specNTFS,
	}
}

func fatSurgery() surgery {
	return surgery{
		format:  fat.New(),
		instead: rebuild,
		needs:   map[Action][]tool.Name{Growing: {}, Checking: {tool.FsckFAT}, Making: {tool.MkfsFAT}},
		grow:    growFAT, check: checkFAT, make: makeFAT, spec: specFAT,
	}
}

func exfatSurgery() surgery {
	return surgery{
		format:  exfat.New(),
		instead: rebuild,
		needs:   map[Action][]tool.Name{Checking: {tool.FsckExFAT}, Making: {tool.MkfsExFAT, tool.TuneExFAT}},
		check:   checkExFAT, make: makeExFAT, spec: specExFAT,
	}
}

// swapSurgery makes swap space anew, since nothing in it is kept.
func swapSurgery() surgery {
	return surgery{
		format:  swap.New(),
		needs:   map[Action][]tool.Name{Measuring: {}, Growing: {tool.Mkswap}, Shrinking: {tool.Mkswap}, Checking: {}, Making: {tool.Mkswap}},
		minimum: swapMinimum, margin: func(int64) int64 { return 0 }, grow: resizeSwap, shrink: resizeSwap, check: checkSwap, make: makeSwap, spec: specSwap,
	}
}

// NotPossibleError says that nobody can do an action to volumes of a kind.
type NotPossibleError struct {
	Kind    string
	Action  Action
	Instead string // a sentence, "" when there is nothing
}

func (e *NotPossibleError) Error() string {
	text := fmt.Sprintf("nothing can %s a volume of %s", e.Action, e.Kind)
	if e.Instead != "" {
		text += ". " + e.Instead
	}
	return text
}

// TooSmallError says that a volume's content does not fit.
type TooSmallError struct {
	Kind       string
	Need, Have int64 // bytes
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("its content needs at least %d bytes, %d more than that", e.Need, e.Need-e.Have)
}

// TooLargeError says that a volume's format, as it was made, ends before the size
// that is wanted.
type TooLargeError struct {
	Kind        string
	Want, Limit int64  // bytes
	Do          string // a sentence
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("this volume of %s cannot have more than %d bytes. %s", e.Kind, e.Limit, e.Do)
}
