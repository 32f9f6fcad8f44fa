package kmod

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// object is an ELF file whose section .modinfo holds fields.
func object(fields ...string) []byte {
	names := "\x00.modinfo\x00.shstrtab\x00"
	info := strings.Join(fields, "\x00") + "\x00"
	const header, entry = 64, 64
	var b bytes.Buffer
	h := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1}, Type: uint16(elf.ET_REL),
		Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: header, Shentsize: entry, Shnum: 3, Shstrndx: 2,
		Shoff: uint64(header + len(info) + len(names)),
	}
	binary.Write(&b, binary.LittleEndian, h)
	b.WriteString(info + names)
	binary.Write(&b, binary.LittleEndian, []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: header, Size: uint64(len(info))},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: header + uint64(len(info)), Size: uint64(len(names))},
	})
	return b.Bytes()
}

func read(t *testing.T, path string, fields ...string) *Module {
	t.Helper()
	b := object(fields...)
	m, err := Read(path, bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sample(t *testing.T) *Tree {
	t.Helper()
	tree, err := NewTree([]*Module{
		read(t, "kernel/fs/ext4/ext4.ko", "alias=fs-ext4", "depends=jbd2,mbcache", "softdep=pre: crc32c", "author=a\nb"),
		read(t, "kernel/fs/jbd2/jbd2.ko", "depends="),
		read(t, "kernel/fs/mbcache.ko"),
		read(t, "kernel/crypto/crc32c_generic.ko", "alias=crc32c", "alias=crypto-crc32c"),
		read(t, "kernel/arch/x86/crypto/crc32c-intel.ko", "alias=crc32c"),
		read(t, "kernel/drivers/net/r8169.ko", "alias=pci:v000010ECd00008168sv*sd*bc*sc*i*", "depends=mdio-bus,built", "firmware=rtl_nic/a.fw", "firmware=rtl_nic/b.fw"),
		read(t, "kernel/drivers/net/mdio-bus.ko", "depends=libphy"),
		read(t, "kernel/drivers/net/libphy.ko"),
		read(t, "kernel/drivers/net/odd.ko", "depends=nowhere"),
	}, "kernel/lib/built.ko\n")
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestChoose(t *testing.T) {
	tree := sample(t)
	for _, c := range []struct {
		patterns string
		want     string // names
		unknown  string
	}{
		{"fs/ext4", "crc32c_intel crc32c_generic ext4 jbd2 mbcache", ""},
		{"fs/ext4/ext4 !fs/jbd2", "crc32c_intel crc32c_generic ext4 jbd2 mbcache", ""},
		{"drivers/net/r8*", "libphy mdio_bus r8169", ""},
		{"drivers/net/* !drivers/net/odd", "libphy mdio_bus r8169", ""},
		{"lib/built fs/none ?fs/neither fs/ext", "", "fs/none fs/ext"},
	} {
		chosen, unknown, err := tree.Choose(strings.Fields(c.patterns))
		var names []string
		for _, m := range chosen {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != c.want || strings.Join(unknown, " ") != c.unknown {
			t.Errorf("%s: %s, unknown %q, %v", c.patterns, got, unknown, err)
		}
	}
	for _, bad := range []string{"drivers/net/odd", "drivers/[net"} {
		if _, _, err := tree.Choose([]string{bad}); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

func TestTables(t *testing.T) {
	tree := sample(t)
	chosen, _, err := tree.Choose([]string{"drivers/net/r8169", "fs/mbcache", "fs/ext4"})
	if err != nil {
		t.Fatal(err)
	}
	got := tree.Tables(chosen)
	for name, lines := range map[string][]string{
		"modules.dep": {
			"kernel/drivers/net/r8169.ko: kernel/drivers/net/mdio-bus.ko kernel/drivers/net/libphy.ko",
			"kernel/fs/mbcache.ko:",
		},
		"modules.alias":   {"alias fs-ext4 ext4", "alias pci:v000010ECd00008168sv*sd*bc*sc*i* r8169", "alias crc32c crc32c_intel"},
		"modules.softdep": {"softdep ext4 pre: crc32c"},
	} {
		for _, want := range lines {
			if !slices.Contains(strings.Split(got[name], "\n"), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, got[name])
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for why, b := range map[string][]byte{
		"no ELF":          []byte("hello"),
		"two lines":       object("alias=a\nblacklist b"),
		"nothing":         nil,
		"no .modinfo":     bytes.Replace(object("alias=a"), []byte(".modinfo"), []byte(".modinfx"), 1),
		"cut off":         object("alias=a")[:150],
		"compressed, not": []byte("\xfd7zXZ\x00"),
	} {
		name := "kernel/a.ko"
		if strings.HasPrefix(why, "compressed") {
			name += ".xz"
		}
		if m, err := Read(name, bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: %+v", why, m)
		}
	}
	if _, err := NewTree([]*Module{{Name: "a", Path: "x"}, {Name: "a", Path: "y"}}, ""); err == nil {
		t.Error("two modules have one name")
	}
	// Modules that need each other end.
	circle, err := NewTree([]*Module{{Name: "a", Path: "kernel/a.ko", Depends: []string{"b"}}, {Name: "b", Path: "kernel/b.ko", Depends: []string{"a"}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	chosen, _, err := circle.Choose([]string{"a"})
	if err != nil || len(chosen) != 2 || len(circle.Tables(chosen)) != 3 {
		t.Errorf("%v, %v", chosen, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("a.ko", object("alias=a", "depends=b,c", "softdep=pre: d"))
	f.Add("a.ko.xz", []byte("\xfd7zXZ\x00\x00\x04"))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		m, err := Read(name, bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		tree, err := NewTree([]*Module{m}, "")
		if err != nil {
			t.Fatal(err)
		}
		m.Depends = nil // nothing else is there
		chosen, _, err := tree.Choose([]string{"*", "*/*"})
		if err == nil {
			tree.Tables(chosen)
		}
	})
}
