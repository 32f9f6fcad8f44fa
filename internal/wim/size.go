package wim

// Size is a volume that an image fits into.
type Size struct {
	Volume int64 // bytes of the NTFS volume, of which what is not used takes no space
	Needed int64 // bytes that its files take at most, with everything about them
}

// What NTFS takes for itself, bytes.
const (
	perFile   = 2 << 10  // record and index entry
	perVolume = 64 << 20 // log, bitmaps, the master file table's zone
	clusters  = 4 << 10  // the end of a file is rounded up to it
)

// Fit returns the size of a scratch volume for files with so many bytes.
func Fit(bytes, files int64) Size {
	needed := bytes + files*(perFile+clusters) + perVolume
	volume := needed + needed/8 + perVolume
	return Size{Volume: (volume + 1<<20 - 1) >> 20 << 20, Needed: needed}
}

// Size is that of a scratch volume for the image.
func (i Image) Size() Size { return Fit(i.Bytes-min(i.Linked, i.Bytes), i.Files+i.Dirs) }
