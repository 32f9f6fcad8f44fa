package hive

import (
	"encoding/binary"
	"fmt"
)

// Key is a key of a hive. It is valid until that key is deleted.
type Key struct {
	h  *Hive
	at uint32
}

// Name is the key's own name; "" for a key that was deleted.
func (k Key) Name() string { return k.name().String() }

func (k Key) name() name {
	c, err := k.h.node(k.at)
	if err != nil {
		return nil
	}
	n := binary.LittleEndian.Uint16(c[nkNameLength:])
	return decodeName(c[nkSize:nkSize+int(n)], binary.LittleEndian.Uint16(c[nkFlags:])&flagASCII != 0)
}

// Class is the key's class name, which few keys have.
func (k Key) Class() (string, error) {
	c, err := k.h.node(k.at)
	if err != nil {
		return "", err
	}
	at, size := binary.LittleEndian.Uint32(c[nkClass:]), int(binary.LittleEndian.Uint16(c[nkClassSize:]))
	if at == none || size == 0 {
		return "", nil
	}
	class, err := k.h.cell(at, size)
	if err != nil {
		return "", fmt.Errorf("class of key %s: %w", k.Name(), err)
	}
	return name(units(class[:size])).String(), nil
}

// Keys are the keys in k, sorted by name.
func (k Key) Keys() ([]Key, error) {
	list, err := k.h.subkeys(k.at)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(list))
	for i, at := range list {
		if _, err := k.h.node(at); err != nil {
			return nil, err
		}
		keys[i] = Key{k.h, at}
	}
	return keys, nil
}

// Key returns the key with a name in k; the error is ErrNotFound when there is
// none.
func (k Key) Key(name string) (Key, error) {
	want := nameOf(name)
	keys, err := k.Keys()
	if err != nil {
		return Key{}, err
	}
	for _, key := range keys {
		if key.name().compare(want) == 0 {
			return key, nil
		}
	}
	return Key{}, ErrNotFound
}

// subkeys returns the offsets of the keys in the key at an offset. Their number is
// that which the key says, and no more than fit the hive.
func (h *Hive) subkeys(at uint32) ([]uint32, error) {
	c, err := h.node(at)
	if err != nil {
		return nil, err
	}
	count := int(binary.LittleEndian.Uint32(c[nkKeys:]))
	if count == 0 {
		return nil, nil
	}
	if count < 0 || count > int(h.bins)/nkSize {
		return nil, damagedCell(at, "%d keys do not fit", count)
	}
	leaves, err := h.leaves(binary.LittleEndian.Uint32(c[nkKeyList:]))
	if err != nil {
		return nil, err
	}
	var keys []uint32
	for _, leaf := range leaves {
		if keys, err = h.leaf(keys, leaf); err != nil {
			return nil, err
		}
		if len(keys) > count {
			break
		}
	}
	if len(keys) != count {
		return nil, damagedCell(at, "a key says that it has %d keys, its list has %d", count, len(keys))
	}
	return keys, nil
}

// leaves returns the lists that make up a list of subkeys: those of an index root,
// or the list itself. An index root does not lead to another.
func (h *Hive) leaves(at uint32) ([]uint32, error) {
	c, err := h.cell(at, 4)
	if err != nil {
		return nil, err
	}
	if string(c[:2]) != "ri" {
		return []uint32{at}, nil
	}
	return elementsOf(at, c, 4)
}

// leaf appends the keys of one list.
func (h *Hive) leaf(keys []uint32, at uint32) ([]uint32, error) {
	c, err := h.cell(at, 4)
	if err != nil {
		return nil, err
	}
	width := 8
	switch string(c[:2]) {
	case "li":
		width = 4
	case "lf", "lh":
	default:
		return nil, damagedCell(at, "found %q where a list of keys should be", c[:2])
	}
	list, err := elementsOf(at, c, width)
	return append(keys, list...), err
}

// elementsOf returns the offsets in a list of subkeys, each at the beginning of
// an element of width bytes.
func elementsOf(at uint32, c []byte, width int) ([]uint32, error) {
	count := int(binary.LittleEndian.Uint16(c[2:]))
	if 4+count*width > len(c) {
		return nil, damagedCell(at, "%d elements do not fit a list of %d bytes", count, len(c))
	}
	list := make([]uint32, count)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(c[4+i*width:])
	}
	return list, nil
}

// Values are the values of k in the order of the hive.
func (k Key) Values() ([]Value, error) {
	list, err := k.h.values(k.at)
	if err != nil {
		return nil, err
	}
	var values []Value
	budget := len(k.h.data) // the values of a sound hive share no bytes
	for _, at := range list {
		v, err := k.h.value(at, budget)
		if err != nil {
			return nil, err
		}
		budget -= len(v.Data)
		values = append(values, v)
	}
	return values, nil
}

// Value returns the value with a name, "" for the default value; the error is
// ErrNotFound when there is none.
func (k Key) Value(name string) (Value, error) {
	_, at, err := k.h.findValue(k.at, nameOf(name))
	if err != nil {
		return Value{}, err
	}
	return k.h.value(at, len(k.h.data))
}

// values returns the offsets of the values of the key at an offset.
func (h *Hive) values(at uint32) ([]uint32, error) {
	c, err := h.node(at)
	if err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint16(c[nkFlags:])&flagHandle != 0 {
		return nil, nil
	}
	return h.offsets(binary.LittleEndian.Uint32(c[nkValueList:]), int(binary.LittleEndian.Uint32(c[nkValues:])))
}

// findValue returns where in the list of values of a key the one with a name is,
// and its offset.
func (h *Hive) findValue(key uint32, want name) (index int, at uint32, err error) {
	list, err := h.values(key)
	if err != nil {
		return 0, 0, err
	}
	for i, at := range list {
		c, err := h.valueRecord(at)
		if err != nil {
			return 0, 0, err
		}
		if valueName(c).compare(want) == 0 {
			return i, at, nil
		}
	}
	return 0, 0, ErrNotFound
}

func valueName(c []byte) name {
	n := binary.LittleEndian.Uint16(c[vkName:])
	return decodeName(c[vkSize:vkSize+int(n)], binary.LittleEndian.Uint16(c[vkFlags:])&vkASCII != 0)
}
