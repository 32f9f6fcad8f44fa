package hive

import "encoding/binary"

// cell returns what the allocated cell at an offset in the bins holds, of at
// least least bytes; see "Cell". In a hive that is edited the offset must be the
// beginning of a cell of a bin, so that nothing is changed through two names.
func (h *Hive) cell(at uint32, least int) ([]byte, error) {
	if at < binHeader || at%8 != 0 || at > h.bins-8 {
		return nil, damagedCell(at, "no cell can be there")
	}
	if h.grid != nil && !h.grid.has(at/8) {
		return nil, damagedCell(at, "no cell begins there")
	}
	size := -int64(int32(binary.LittleEndian.Uint32(h.data[baseSize+at:])))
	if size < 8 || size%8 != 0 || int64(at)+size > int64(h.bins) {
		return nil, damagedCell(at, "a cell of %d bytes is not in use or does not fit", size)
	}
	if int(size)-4 < least {
		return nil, damagedCell(at, "a cell of %d bytes is too small for a record of %d", size, least)
	}
	start, end := baseSize+int64(at)+4, baseSize+int64(at)+size
	return h.data[start:end:end], nil
}

// record is cell for a record that begins with a signature.
func (h *Hive) record(at uint32, signature string, least int) ([]byte, error) {
	c, err := h.cell(at, least)
	if err == nil && string(c[:2]) != signature {
		err = damagedCell(at, "found %q where a record %q should be", c[:2], signature)
	}
	return c, err
}

// Key node; offsets are those of the section of this name.
const (
	nkSize       = 76
	nkFlags      = 2
	nkTime       = 4
	nkParent     = 16
	nkKeys       = 20
	nkKeyList    = 28
	nkVolatile   = 32
	nkValues     = 36
	nkValueList  = 40
	nkSecurity   = 44
	nkClass      = 48
	nkMaxKey     = 52 // 16 bits
	nkMaxClass   = 56
	nkMaxName    = 60
	nkMaxData    = 64
	nkNameLength = 72
	nkClassSize  = 74

	flagRoot     = 0x0004
	flagNoDelete = 0x0008
	flagASCII    = 0x0020 // the name has one byte a character
	flagHandle   = 0x0040 // a predefined handle: the number of values is none
)

// node returns the key node at an offset.
func (h *Hive) node(at uint32) ([]byte, error) {
	c, err := h.record(at, "nk", nkSize)
	if err != nil {
		return nil, err
	}
	if n := int(binary.LittleEndian.Uint16(c[nkNameLength:])); nkSize+n > len(c) {
		return nil, damagedCell(at, "a key's name of %d bytes does not fit", n)
	}
	return c, nil
}

// Key value; offsets are those of the section of this name.
const (
	vkSize   = 20
	vkName   = 2
	vkLength = 4
	vkData   = 8
	vkType   = 12
	vkFlags  = 16

	vkASCII  = 0x0001
	vkInline = 1 << 31 // the data is in the field of its offset
)

// valueRecord returns the key value at an offset.
func (h *Hive) valueRecord(at uint32) ([]byte, error) {
	c, err := h.record(at, "vk", vkSize)
	if err != nil {
		return nil, err
	}
	if n := int(binary.LittleEndian.Uint16(c[vkName:])); vkSize+n > len(c) {
		return nil, damagedCell(at, "a value's name of %d bytes does not fit", n)
	}
	return c, nil
}

// offsets returns the list of count offsets at an offset.
func (h *Hive) offsets(at uint32, count int) ([]uint32, error) {
	if count == 0 {
		return nil, nil
	}
	if count < 0 || count > int(h.bins)/4 {
		return nil, damagedCell(at, "a list of %d does not fit", count)
	}
	c, err := h.cell(at, 4*count)
	if err != nil {
		return nil, err
	}
	list := make([]uint32, count)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(c[4*i:])
	}
	return list, nil
}
