package all

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/gpt"
)

// NewIDs returns t with fresh IDs taken from random: GPT disk and partition
// GUIDs, or the MBR disk signature. The map leads from every old spelling to the
// new one; for an MBR that includes the PARTUUIDs that Linux derives from the
// signature ("c0ffee00-01").
func NewIDs(t part.Table, random io.Reader) (part.Table, map[string]string, error) {
	t.Partitions = slices.Clone(t.Partitions)
	switch t.Kind {
	case part.GPT:
		return newGUIDs(t, random)
	case part.MBR:
		return newSignature(t, random)
	}
	return t, map[string]string{}, nil
}

func newGUIDs(t part.Table, random io.Reader) (part.Table, map[string]string, error) {
	changed := map[string]string{}
	renew := func(id *string) error {
		fresh, err := gpt.NewGUID(random)
		if err != nil {
			return err
		}
		changed[*id], *id = fresh, fresh
		return nil
	}
	if err := renew(&t.ID); err != nil {
		return part.Table{}, nil, err
	}
	for i := range t.Partitions {
		if err := renew(&t.Partitions[i].ID); err != nil {
			return part.Table{}, nil, err
		}
	}
	return t, changed, nil
}

func newSignature(t part.Table, random io.Reader) (part.Table, map[string]string, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return part.Table{}, nil, fmt.Errorf("make a disk signature: %w", err)
	}
	// Zero means 'no signature' to Windows and Linux.
	old := t.ID
	t.ID = fmt.Sprintf("%08x", max(1, binary.LittleEndian.Uint32(b[:])))
	changed := map[string]string{old: t.ID}
	for _, p := range t.Partitions {
		suffix := fmt.Sprintf("-%02x", p.Number)
		changed[old+suffix] = t.ID + suffix
	}
	return t, changed, nil
}
