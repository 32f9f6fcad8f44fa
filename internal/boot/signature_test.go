package boot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestSigners reads programs as distributions ship them.
func TestSigners(t *testing.T) {
	for _, c := range []struct {
		file   string
		signed bool
		by     []CA // one of these at least: shim has been signed by the new one too since 2025
	}{
		{shimFile, true, []CA{ThirdParty2011, ThirdParty2023}},
		{grubFile, true, nil}, // by Debian, whose key shim brings
		{strings.TrimSuffix(shimFile, ".signed"), false, nil},
	} {
		p, err := ReadProgram(strings.NewReader(contentOf(t, c.file)))
		known := slices.ContainsFunc(p.Signers, func(ca CA) bool { return slices.Contains(c.by, ca) })
		if err != nil || p.Arch != X64 || p.Signed != c.signed || known != (len(c.by) > 0) {
			t.Errorf("%s is %+v, %v; want signed: %v by %v", c.file, p, err, c.signed, c.by)
		}
	}
}

func TestBrokenSignatures(t *testing.T) {
	shim := []byte(contentOf(t, shimFile))
	header := binary.LittleEndian.Uint32(shim[peOffsetAt:])
	table := header + directories64 + certificatesAt
	for name, harm := range map[string]func([]byte) []byte{
		"no optional header":  func(b []byte) []byte { return b[:header+optionalAt] },
		"another magic":       func(b []byte) []byte { b[header+optionalAt]++; return b },
		"ends in its headers": func(b []byte) []byte { return b[:table] },
		"a huge table":        func(b []byte) []byte { binary.LittleEndian.PutUint32(b[table+4:], 1<<31); return b },
		"a table outside":     func(b []byte) []byte { binary.LittleEndian.PutUint32(b[table:], 1<<31); return b },
	} {
		_, err := ReadProgram(bytes.NewReader(harm(bytes.Clone(shim))))
		if !errors.As(err, new(*FormatError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	few := bytes.Clone(shim)
	binary.LittleEndian.PutUint32(few[header+directories64-4:], 4)
	if p, err := ReadProgram(bytes.NewReader(few)); err != nil || p.Signed {
		t.Errorf("without a directory for them: %+v, %v", p, err)
	}
}

func FuzzProgram(f *testing.F) {
	shim := contentOf(f, shimFile)
	f.Add([]byte(shim[:4096]))
	f.Add([]byte(program(0x014C, shim[0x80:1024])))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadProgram(bytes.NewReader(data))
		if err == nil && p.Arch == "" {
			t.Error("a program for no machine")
		}
	})
}
