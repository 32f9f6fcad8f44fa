package hive

import (
	"bytes"
	"encoding/binary"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// Bounds for one run over hostile bytes.
const (
	fuzzMaxAlloc = 64 << 20
	fuzzMaxTime  = 10 * time.Second
	fuzzMaxKeys  = 2000 // a hive may lead to one key on more ways than can be walked
)

func seeds(t testing.TB) [][]byte {
	var all [][]byte
	for _, minor := range []int{3, 5} {
		_, e := edited(t, minor)
		all = append(all, bytes.Clone(closed(t, e)))
		for _, path := range []string{`Select`, `ControlSet001\Control\ComputerName\ComputerName`, `ControlSet001\Services\Tcpip`, `ÜBER\x`} {
			for _, v := range []Value{String("", "x"), Number("Current", 1), Strings("many", "a", "b"), Bytes("big", make([]byte, 17000))} {
				if err := e.Set(path, v); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := e.Remove("ÜBER"); err != nil {
			t.Fatal(err)
		}
		all = append(all, bytes.Clone(closed(t, e)))
		_, e = edited(t, minor)
		for i := range leafSize + 10 {
			if err := e.Create(`k\` + string(rune('0'+i%10)) + strings.Repeat("x", i/10)); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, bytes.Clone(closed(t, e)))
	}
	return all
}

// FuzzHive reads and edits mutated hives: no panic, no hang, no allocation out of
// proportion, and what could be edited can be read again.
func FuzzHive(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		if len(data) >= baseSize { // damage below the base block is of interest, not its checksum
			copy(data[8:12], data[4:8])
			binary.LittleEndian.PutUint32(data[checkedAt:], checksum(data))
		}
		began, before := time.Now(), allocated()
		exercise(t, data)
		if d := time.Since(began); d > fuzzMaxTime {
			t.Errorf("took %v", d)
		}
		if n := allocated() - before; n > fuzzMaxAlloc {
			t.Errorf("allocated %d bytes", n)
		}
	})
}

func exercise(t *testing.T, data []byte) {
	h, err := Open(data)
	if err != nil {
		return
	}
	walk(h)
	e, err := h.Edit(day)
	if err != nil {
		return
	}
	walk(h)
	want := Bytes("fuzz", bytes.Repeat([]byte{1}, 20000))
	for _, edit := range []func() error{
		func() error { return e.Set(`ControlSet001\new\key`, want) },
		func() error { return e.Delete(`ControlSet001\Services\Tcpip`, "many") },
		func() error { return e.Remove(`Select`) },
		func() error { return e.Remove(`k`) },
	} {
		if edit() != nil {
			return
		}
	}
	file, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Open(bytes.Clone(file))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := again.Value(`ControlSet001\new\key`, "fuzz"); err != nil || !v.equal(want) {
		t.Errorf("what was set is lost: %v", err)
	}
	if _, err := again.Edit(day); err != nil {
		t.Errorf("it cannot be edited again: %v", err)
	}
}

// walk reads what can be read, up to a bound.
func walk(h *Hive) {
	keys, bytes := []Key{h.Root()}, 0
	for i := 0; i < len(keys) && len(keys) < fuzzMaxKeys && bytes < 8<<20; i++ {
		keys[i].Name()
		keys[i].Class()
		values, _ := keys[i].Values()
		for _, v := range values {
			v.Text()
			v.Texts()
			v.Uint()
			bytes += len(v.Data)
		}
		below, _ := keys[i].Keys()
		keys = append(keys, below...)
	}
}

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
