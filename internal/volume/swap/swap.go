// Package swap reads the headers of Linux swap areas, versions 0 and 1, with
// page sizes of 4 to 64 KiB and either byte order.
//
// It owns the header page: label, UUID, length, and the signatures that a
// suspended system leaves in place of swap's own. An area of version 1 offers
// everything behind the header page for omission. A suspended one is refused, and
// its pages are never offered, as they hold a machine's memory; nor are those of
// version 0, of which ten bytes are too little proof.
//
// The format is union swap_header of Linux's include/linux/swap.h; the
// signatures of suspended systems are in kernel/power/swap.c (S1SUSPEND,
// LINHIB0001) and in the sources of uswsusp and TuxOnIce. Callers start with New.
package swap

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type format struct{}

var _ volume.Format = format{}

// New returns the reader of Linux swap areas.
func New() volume.Format { return format{} }

func (format) Name() string { return "swap" }

func (format) Recognise(r block.Reader) (bool, error) {
	h, err := readHeader(r)
	return h != nil, err
}

func (format) Open(_ context.Context, r block.Reader) (volume.Volume, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, &volume.DamageError{Kind: "swap", What: "header page", Why: "it has no signature"}
	}
	return newArea(h, r.Size()), nil
}

type area struct {
	info  volume.Info
	empty bool // the pages hold nothing that outlives a restart
}

var (
	_ volume.Volume  = (*area)(nil)
	_ volume.Omitter = (*area)(nil)
)

// newArea describes the area in a volume of size bytes. One that says it is
// longer cannot be switched on, but has nothing to lose: it is noted and cut.
func newArea(h *header, size int64) *area {
	a := &area{
		info:  volume.Info{Kind: "swap", Label: h.label, UUID: h.uuid, Size: h.size, BlockSize: h.pageSize, Used: -1},
		empty: h.suspended == "" && h.size > 0,
	}
	if h.size == 0 {
		a.info.Size = size
	}
	if h.size > size {
		a.info.Size = size
		a.info.Notes = append(a.info.Notes, "The swap area says that it is longer than its partition; run mkswap on it.")
	}
	if h.suspended != "" {
		a.info.Refusals = []volume.Refusal{{
			Reason:   volume.Hibernated,
			What:     "a suspended system lies in it (" + h.suspended + ")",
			Do:       "Start that system and shut it down.",
			Waivable: true,
		}}
	}
	return a
}

func (a *area) Info() volume.Info { return a.info }

// Used returns the whole area: the header page and what Omit names.
func (a *area) Used(context.Context) (extent.List, error) {
	return extent.Of(extent.Extent{Length: a.info.Size}), nil
}

// Omit names all pages but the first, which holds the boot sectors, the header
// and the list of bad pages: swapon needs no other.
func (a *area) Omit(context.Context) ([]volume.Omission, error) {
	pages := extent.Of(extent.Extent{Start: a.info.BlockSize, Length: a.info.Size - a.info.BlockSize})
	if !a.empty || len(pages) == 0 {
		return nil, nil
	}
	return []volume.Omission{{Name: "swap contents", Extents: pages}}, nil
}
