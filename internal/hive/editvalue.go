package hive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The most characters of a value's name and bytes of its data; see "Registry
// element size limits" of Windows.
const (
	maxValueName = 16383
	maxData      = 1 << 20
)

// setValue gives a key a value, in the place of one that has the same name.
func (e *Editor) setValue(key uint32, v Value) error {
	n := nameOf(v.Name)
	if len(n) > maxValueName || len(v.Data) > maxData || slices.Contains(n, 0) {
		return fmt.Errorf("a value's name has up to %d characters, none of them null, and its data up to %d bytes", maxValueName, maxData)
	}
	_, at, err := e.h.findValue(key, n)
	if errors.Is(err, ErrNotFound) {
		at, err = e.newValue(key, n)
	} else if err == nil {
		if old, err := e.h.value(at, len(e.h.data)); err == nil && old.equal(v) {
			return nil
		}
		err = e.releaseData(at)
	}
	if err != nil {
		return err
	}
	length, data, err := e.putData(v.Data)
	if err != nil {
		return err
	}
	c, err := e.h.valueRecord(at)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(c[vkLength:], length)
	binary.LittleEndian.PutUint32(c[vkData:], data)
	binary.LittleEndian.PutUint32(c[vkType:], uint32(v.Type))
	if c, err = e.touch(key); err != nil {
		return err
	}
	raise(c[nkMaxName:], 2*len(n))
	raise(c[nkMaxData:], len(v.Data))
	return nil
}

// newValue adds a value without data to a key.
func (e *Editor) newValue(key uint32, n name) (uint32, error) {
	list, err := e.h.values(key)
	if err != nil {
		return 0, err
	}
	text, narrow := n.encode()
	c := make([]byte, vkSize, vkSize+len(text))
	copy(c, "vk")
	binary.LittleEndian.PutUint16(c[vkName:], uint16(len(text)))
	binary.LittleEndian.PutUint32(c[vkLength:], vkInline)
	if narrow {
		binary.LittleEndian.PutUint16(c[vkFlags:], vkASCII)
	}
	at, err := e.put(append(c, text...))
	if err != nil {
		return 0, err
	}
	return at, e.setValues(key, append(list, at))
}

// setValues gives a key another list of values.
func (e *Editor) setValues(key uint32, list []uint32) error {
	c, err := e.h.node(key)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint16(c[nkFlags:])&flagHandle != 0 {
		return errors.New("the key is a predefined handle and has no values")
	}
	if old := binary.LittleEndian.Uint32(c[nkValueList:]); binary.LittleEndian.Uint32(c[nkValues:]) > 0 {
		if err := e.release(old); err != nil {
			return err
		}
	}
	at, err := e.putList(list)
	if err != nil {
		return err
	}
	if c, err = e.touch(key); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(c[nkValues:], uint32(len(list)))
	binary.LittleEndian.PutUint32(c[nkValueList:], at)
	return nil
}

func (e *Editor) deleteValue(key uint32, n name) error {
	i, at, err := e.h.findValue(key, n)
	if err != nil {
		return err
	}
	if err := e.releaseValue(at); err != nil {
		return err
	}
	list, err := e.h.values(key)
	if err != nil {
		return err
	}
	return e.setValues(key, slices.Delete(list, i, i+1))
}

func (e *Editor) releaseValue(at uint32) error {
	if err := e.releaseData(at); err != nil {
		return err
	}
	return e.release(at)
}

// releaseData frees the data of a value, which then has none.
func (e *Editor) releaseData(at uint32) error {
	c, err := e.h.valueRecord(at)
	if err != nil {
		return err
	}
	length, data := binary.LittleEndian.Uint32(c[vkLength:]), binary.LittleEndian.Uint32(c[vkData:])
	binary.LittleEndian.PutUint32(c[vkLength:], vkInline)
	if length&vkInline != 0 || length == 0 {
		return nil
	}
	if c, err = e.h.cell(data, min(int(length), 8)); err != nil {
		return err
	}
	if len(c) >= int(length) {
		return e.release(data)
	}
	cells, err := e.h.segments(data, int(length))
	if err != nil {
		return err
	}
	list := binary.LittleEndian.Uint32(c[4:])
	return e.releaseAll(append(cells, list, data)...)
}

// putData stores the data of a value and returns what its record says of them.
func (e *Editor) putData(data []byte) (length, at uint32, err error) {
	length = uint32(len(data))
	switch {
	case len(data) <= 4:
		var field [4]byte
		copy(field[:], data)
		return length | vkInline, binary.LittleEndian.Uint32(field[:]), nil
	case len(data) <= segmentSize || e.h.minor < 4:
		at, err = e.put(data)
		return length, at, err
	}
	var segments []uint32
	for segment := range slices.Chunk(data, segmentSize) {
		spare := make([]byte, len(segment)+4) // hivex takes the last four bytes of a cell for padding
		copy(spare, segment)
		if at, err = e.put(spare); err != nil {
			return 0, 0, err
		}
		segments = append(segments, at)
	}
	list, err := e.putList(segments)
	if err != nil {
		return 0, 0, err
	}
	root := binary.LittleEndian.AppendUint16([]byte("db"), uint16(len(segments)))
	at, err = e.put(binary.LittleEndian.AppendUint32(root, list))
	return length, at, err
}
