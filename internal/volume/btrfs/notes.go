package btrfs

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
)

// notes tells of what the next mount will continue or what it would want to
// know; none of it stands against an exact copy.
func notes(ctx context.Context, f *forest) ([]string, error) {
	var out []string
	if f.sb.flags&flagSeeding != 0 {
		out = append(out, "It is a seed: it mounts read-only until a device is added.")
	}
	balancing, err := f.balancing(ctx)
	if err != nil {
		return nil, err
	}
	if balancing {
		out = append(out, "A balance is not finished; the next mount continues it.")
	}
	replacing, err := f.replacing(ctx)
	if err != nil {
		return nil, err
	}
	if replacing {
		out = append(out, "A device replace is not finished; the next mount wants its target device too.")
	}
	return append(out, damagedCopies(f.r, f.sb)...), nil
}

// balancing looks for the struct btrfs_balance_item of a balance.
func (f *forest) balancing(ctx context.Context) (found bool, err error) {
	k := key{balanceObject, temporaryItem, 0}
	err = f.items(ctx, f.sb.root, k, k, func(key, []byte) error {
		found = true
		return nil
	})
	return found, err
}

// replacing reads replace_state of struct btrfs_dev_replace_item.
func (f *forest) replacing(ctx context.Context) (found bool, err error) {
	const stateAt, started, suspended = 32, 1, 4
	devices, err := f.findTree(ctx, deviceTree)
	if err != nil {
		return false, err
	}
	k := key{0, replaceItem, 0}
	err = f.items(ctx, devices, k, k, func(_ key, item []byte) error {
		if len(item) >= stateAt+8 {
			state := binary.LittleEndian.Uint64(item[stateAt:])
			found = state == started || state == suspended
		}
		return nil
	})
	return found, err
}

// damagedCopies names the copies of the superblock that would not help.
func damagedCopies(r block.Reader, sb *superblock) []string {
	var out []string
	for _, off := range superOffsets[1:] {
		if off+superSize > sb.deviceBytes {
			continue
		}
		if backup, err := readSuperblock(r, off); err != nil || backup.fsid != sb.fsid {
			out = append(out, fmt.Sprintf("The superblock copy at %#x is damaged; btrfs rescue super-recover repairs it.", off))
		}
	}
	return out
}
