package hive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// maxKeyName is the most characters of a key's name; see "Registry element size
// limits" of Windows.
const maxKeyName = 255

// newKey makes a key in another one.
func (e *Editor) newKey(parent uint32, n name) (uint32, error) {
	if len(n) == 0 || len(n) > maxKeyName || slices.Contains(n, 0) {
		return 0, fmt.Errorf("a key's name has 1 to %d characters, and no null character; %q has %d", maxKeyName, n, len(n))
	}
	keys, err := e.h.subkeys(parent)
	if err != nil {
		return 0, err
	}
	security, err := e.share(parent)
	if err != nil {
		return 0, err
	}
	at, err := e.put(keyRecord(parent, security, n))
	if err != nil {
		return 0, err
	}
	i, _ := slices.BinarySearchFunc(keys, n, func(at uint32, n name) int { return Key{e.h, at}.name().compare(n) })
	if err := e.setKeys(parent, slices.Insert(keys, i, at)); err != nil {
		return 0, err
	}
	c, err := e.touch(parent)
	if err != nil {
		return 0, err
	}
	if longest := c[nkMaxKey:]; binary.LittleEndian.Uint16(longest) < uint16(2*len(n)) {
		binary.LittleEndian.PutUint16(longest, uint16(2*len(n)))
	}
	_, err = e.touch(at)
	return at, err
}

// keyRecord is a key node without keys and values.
func keyRecord(parent, security uint32, n name) []byte {
	text, narrow := n.encode()
	c := make([]byte, nkSize, nkSize+len(text))
	le := binary.LittleEndian
	copy(c, "nk")
	if narrow {
		le.PutUint16(c[nkFlags:], flagASCII)
	}
	le.PutUint32(c[nkParent:], parent)
	for _, field := range []int{nkKeyList, nkVolatile, nkValueList, nkClass} {
		le.PutUint32(c[field:], none)
	}
	le.PutUint32(c[nkSecurity:], security)
	le.PutUint16(c[nkNameLength:], uint16(len(text)))
	return append(c, text...)
}

// leafSize is how many keys a list has at most: what fits a bin of 4096 bytes.
const leafSize = (binUnit - binHeader - 8) / 8

// setKeys gives a key another list of keys, sorted by name.
func (e *Editor) setKeys(key uint32, keys []uint32) error {
	if err := e.releaseKeyList(key); err != nil {
		return err
	}
	var leaves []uint32
	for leaf := range slices.Chunk(keys, leafSize) {
		at, err := e.put(e.leafRecord(leaf))
		if err != nil {
			return err
		}
		leaves = append(leaves, at)
	}
	list := uint32(none)
	switch {
	case len(leaves) == 1:
		list = leaves[0]
	case len(leaves) > 0xFFFF:
		return fmt.Errorf("%d keys are too many for one key", len(keys))
	case len(leaves) > 1:
		root := binary.LittleEndian.AppendUint16([]byte("ri"), uint16(len(leaves)))
		for _, at := range leaves {
			root = binary.LittleEndian.AppendUint32(root, at)
		}
		var err error
		if list, err = e.put(root); err != nil {
			return err
		}
	}
	c, err := e.touch(key)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(c[nkKeys:], uint32(len(keys)))
	binary.LittleEndian.PutUint32(c[nkKeyList:], list)
	return nil
}

// leafRecord is a fast leaf in hives up to version 1.4, and a hash leaf in later
// ones.
func (e *Editor) leafRecord(keys []uint32) []byte {
	signature, tag := "lf", name.hint
	if e.h.minor > 4 {
		signature, tag = "lh", name.hash
	}
	b := binary.LittleEndian.AppendUint16([]byte(signature), uint16(len(keys)))
	for _, at := range keys {
		b = binary.LittleEndian.AppendUint32(b, at)
		b = binary.LittleEndian.AppendUint32(b, tag(Key{e.h, at}.name()))
	}
	return b
}

// releaseKeyList frees the cells of the list of keys of a key.
func (e *Editor) releaseKeyList(key uint32) error {
	c, err := e.h.node(key)
	if err != nil || binary.LittleEndian.Uint32(c[nkKeys:]) == 0 {
		return err
	}
	list := binary.LittleEndian.Uint32(c[nkKeyList:])
	leaves, err := e.h.leaves(list)
	if err != nil {
		return err
	}
	if len(leaves) != 1 || leaves[0] != list {
		leaves = append(leaves, list)
	}
	return e.releaseAll(leaves...)
}

// maxTree bounds the keys that are removed at once.
const maxTree = 1 << 20

// removeKey takes a key with all below it out of its parent.
func (e *Editor) removeKey(parent, key uint32) error {
	tree := []uint32{key}
	for i := 0; i < len(tree); i++ { // grows while it runs
		keys, err := e.h.subkeys(tree[i])
		if err != nil {
			return err
		}
		if tree = append(tree, keys...); len(tree) > maxTree {
			return fmt.Errorf("more than %d keys are below it, or they form a circle", maxTree)
		}
	}
	siblings, err := e.h.subkeys(parent)
	if err != nil {
		return err
	}
	siblings = slices.DeleteFunc(siblings, func(at uint32) bool { return at == key })
	if err := e.setKeys(parent, siblings); err != nil {
		return err
	}
	for _, at := range tree {
		if err := e.dissolve(at); err != nil {
			return err
		}
	}
	return nil
}

// dissolve frees everything that belongs to one key.
func (e *Editor) dissolve(key uint32) error {
	c, err := e.h.node(key)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	if le.Uint16(c[nkFlags:])&(flagNoDelete|flagRoot) != 0 {
		return errors.New("a key in it is marked as one that cannot be removed")
	}
	values, err := e.h.values(key)
	if err != nil {
		return err
	}
	for _, at := range values {
		if err := e.releaseValue(at); err != nil {
			return err
		}
	}
	cells := []uint32{key}
	if list := le.Uint32(c[nkValueList:]); len(values) > 0 {
		cells = append(cells, list)
	}
	if class := le.Uint32(c[nkClass:]); class != none && le.Uint16(c[nkClassSize:]) > 0 {
		cells = append(cells, class)
	}
	if err := e.releaseKeyList(key); err != nil {
		return err
	}
	if err := e.unshare(le.Uint32(c[nkSecurity:])); err != nil {
		return err
	}
	return e.releaseAll(cells...)
}
