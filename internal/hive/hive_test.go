package hive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// sample is a hive with a few keys and values.
func sample(t *testing.T) []byte {
	t.Helper()
	return bytes.Clone(seeds(t)[1])
}

func TestDamage(t *testing.T) {
	root := baseSize + binHeader + 4 // the root key's record
	tests := map[string]struct {
		do   func(b []byte) []byte
		edit bool // it can be read, not edited
	}{
		"empty":            {do: func(b []byte) []byte { return nil }},
		"short":            {do: func(b []byte) []byte { return b[:5000] }},
		"signature":        {do: func(b []byte) []byte { b[0] = 'x'; return b }},
		"log file":         {do: func(b []byte) []byte { b[28] = 6; return b }},
		"version":          {do: func(b []byte) []byte { b[24] = 1; return b }},
		"bins too long":    {do: func(b []byte) []byte { b[42] = 0x7F; return b }},
		"bins uneven":      {do: func(b []byte) []byte { b[40] = 1; return b }},
		"no root":          {do: func(b []byte) []byte { b[36] = 0x38; return b }},
		"root out of bins": {do: func(b []byte) []byte { b[39] = 0xFF; return b }},
		"root's name":      {do: func(b []byte) []byte { b[root+nkNameLength+1] = 0x7F; return b }},
		"bin's signature":  {edit: true, do: func(b []byte) []byte { b[baseSize] = 'x'; return b }},
		"bin's offset":     {edit: true, do: func(b []byte) []byte { b[baseSize+4] = 1; return b }},
		"bin's size":       {edit: true, do: func(b []byte) []byte { b[baseSize+8] = 1; return b }},
		"last cell": {edit: true, do: func(b []byte) []byte {
			at := int(binHeader)
			for {
				n := int(int32(binary.LittleEndian.Uint32(b[baseSize+at:])))
				if at+max(n, -n) == binUnit {
					binary.LittleEndian.PutUint32(b[baseSize+at:], 8)
					return b
				}
				at += max(n, -n)
			}
		}},
	}
	for name, test := range tests {
		b := test.do(sample(t))
		if len(b) >= baseSize {
			binary.LittleEndian.PutUint32(b[checkedAt:], checksum(b))
		}
		h, err := Open(b)
		if test.edit && err == nil {
			_, err = h.Edit(day)
		}
		var damage *DamageError
		if !errors.As(err, &damage) || (h != nil) != test.edit {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDirty(t *testing.T) {
	tests := map[string]func(b []byte){
		"sequence": func(b []byte) { b[4]++; binary.LittleEndian.PutUint32(b[checkedAt:], checksum(b)) },
		"checksum": func(b []byte) { b[checkedAt]++ },
	}
	for name, spoil := range tests {
		b := sample(t)
		spoil(b)
		h, err := Open(b)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := h.Value("Select", "Current"); err != nil || v.Type != DWord {
			t.Errorf("%s: it cannot be read: %v", name, err)
		}
		_, err = h.Edit(day)
		var dirty *DirtyError
		if !errors.As(err, &dirty) || !errors.As(h.Dirty(), &dirty) || !strings.Contains(err.Error(), "shutdown /s") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotFound(t *testing.T) {
	h, err := Open(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	for path, value := range map[string]string{"none": "", `Select\none`: "", "Select": "none"} {
		if _, err := h.Value(path, value); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if k, err := h.Find(`\controlset001\\CONTROL\`); err != nil || k.Name() != "Control" {
		t.Errorf("%q, %v", k.Name(), err)
	}
}

// TestCircle leads a key to itself.
func TestCircle(t *testing.T) {
	h, err := Open(sample(t))
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.Find(`ControlSet001\Services`)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := h.node(k.at)
	list, _ := h.cell(binary.LittleEndian.Uint32(c[nkKeyList:]), 8)
	binary.LittleEndian.PutUint32(list[4:], k.at)
	if _, err := h.Find(`ControlSet001\Services\Services\Services\Services`); err != nil {
		t.Error(err)
	}
	e, err := h.Edit(day)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Remove(`ControlSet001`); err == nil {
		t.Error("a circle was removed")
	}
	if _, err := e.Bytes(); err == nil {
		t.Error("bytes after an error")
	}
}

// TestSpaceIsReused edits the same things over and over.
func TestSpaceIsReused(t *testing.T) {
	_, e := edited(t, 5)
	size := 0
	for i := range 300 {
		if err := e.Set(`a\b`, Bytes("v", make([]byte, 3000+i%2*40000))); err != nil {
			t.Fatal(err)
		}
		if err := e.Create(`c\d`); err != nil {
			t.Fatal(err)
		}
		if err := e.Remove("c"); err != nil {
			t.Fatal(err)
		}
		if i == 10 {
			size = len(closed(t, e))
		}
	}
	if got := len(closed(t, e)); got != size {
		t.Errorf("it grew from %d to %d bytes", size, got)
	}
}

func TestSecretsAreCleared(t *testing.T) {
	_, e := edited(t, 5)
	if err := e.Set("a", String("v", "secret")); err != nil {
		t.Fatal(err)
	}
	if err := e.Delete("a", "v"); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(closed(t, e), encodeUnits(nameOf("secret"))) {
		t.Error("a deleted value is still in the file")
	}
}
