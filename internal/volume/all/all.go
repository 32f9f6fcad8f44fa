// Package all is the list of volume formats, in the order in which they are
// tried: what can be mistaken for something else comes first.
package all

import (
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/btrfs"
	"github.com/ingot-imaging/ingot/internal/volume/ext"
	"github.com/ingot-imaging/ingot/internal/volume/fat"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/xfs"
)

// Formats returns every format that this program reads.
func Formats() []volume.Format {
	return []volume.Format{
		ntfs.New(),
		btrfs.New(),
		xfs.New(),
		ext.New(),
		fat.New(), // the weakest signature of all
	}
}
