package pack

import "github.com/ingot-imaging/ingot/internal/chunk"

// Location is where a chunk lies: in which frame of which pack, and where in it.
type Location struct {
	Pack   chunk.ID
	Offset uint32 // of the frame in the pack
	Stored uint32 // length of the frame in the pack
	Plain  uint32 // length of the frame unpacked
	Codec  Codec
	Inside uint32 // offset of the chunk in the frame's plain bytes
	Length uint32 // of the chunk
}

// SameFrame reports whether both chunks lie in one frame.
func (l Location) SameFrame(o Location) bool { return l.Offset == o.Offset && l.Pack == o.Pack }

// Possible checks numbers that come from a map or an index before they size anything.
func (l Location) Possible() bool {
	return l.Offset >= HeaderSize && int64(l.Offset)+int64(l.Stored) <= MaxSize &&
		l.Plain <= MaxPlain && l.Length > 0 && uint64(l.Inside)+uint64(l.Length) <= uint64(l.Plain) && l.Codec.Known()
}
