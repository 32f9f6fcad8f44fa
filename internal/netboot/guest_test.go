package netboot

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// say is x86 code for real mode that writes a text to the first serial port and
// stops. It lies at offset at of its segment, which the text follows.
func say(at int, text string) []byte {
	code := []byte{
		0xfc,       // cld
		0xbe, 0, 0, // mov si, text
		0xac,       // next: lodsb
		0x08, 0xc0, // or al, al
		0x74, 6, // jz stop
		0xba, 0xf8, 3, // mov dx, 0x3f8
		0xee,       // out dx, al
		0xeb, 0xf5, // jmp next
		0xf4,       // stop: hlt
		0xeb, 0xfd, // jmp stop
	}
	binary.LittleEndian.PutUint16(code[2:], uint16(at+len(code)))
	return append(append(code, text...), 0)
}

// kernel is a Linux kernel in form (Documentation/arch/x86/boot.rst), which says
// text and stops: what a test needs to see that a kernel was started.
func kernel(text string) []byte {
	b := make([]byte, 4096)
	b[0x1f1] = 1                                         // setup_sects
	binary.LittleEndian.PutUint16(b[0x1fe:], 0xaa55)     // boot_flag
	copy(b[0x200:], []byte{0xeb, 0x66})                  // jump over the header
	copy(b[0x202:], "HdrS")                              //
	binary.LittleEndian.PutUint16(b[0x206:], 0x0203)     // version
	b[0x211] = 1                                         // loadflags: LOADED_HIGH
	binary.LittleEndian.PutUint32(b[0x214:], 0x100000)   // code32_start
	binary.LittleEndian.PutUint32(b[0x22c:], 0x37ffffff) // initrd_addr_max
	copy(b[0x268:], say(0x268, text))
	return b
}

// biosDisk is a disk whose boot sector says text.
func biosDisk(t *testing.T, text string) string {
	b := make([]byte, 1<<20)
	copy(b, []byte{0x31, 0xc0, 0x8e, 0xd8}) // xor ax, ax; mov ds, ax
	copy(b[4:], say(0x7c04, text))
	b[510], b[511] = 0x55, 0xaa
	return disk(t, b)
}

func disk(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "disk.img")
	write(t, name, b)
	return name
}

// uefiDisk is a disk with an ESP as Debian makes it: its own shim and GRUB, both
// signed, and a grub.cfg that says text. Nothing is at the fallback path.
func uefiDisk(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "truncate", "-s", "64M", name)
	run(t, "sgdisk", "-n", "1:2048:0", "-t", "1:ef00", name)
	esp := name + "@@1M"
	run(t, "mformat", "-i", esp, "-T", "122880", "-h", "64", "-s", "32", "-F", "::")
	run(t, "mmd", "-i", esp, "::/EFI", "::/EFI/debian")
	config := filepath.Join(t.TempDir(), "grub.cfg")
	write(t, config, []byte("serial --unit=0 --speed=115200\nterminal_output serial\necho '"+text+"'\nhalt\n"))
	for from, to := range map[string]string{
		"/usr/lib/shim/shimx64.efi.signed": "shimx64.efi", "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": "grubx64.efi", config: "grub.cfg",
	} {
		run(t, "mcopy", "-i", esp, from, "::/EFI/debian/"+to)
	}
	return name
}

func drive(name string) []string {
	return []string{"-drive", "if=none,id=d,format=raw,snapshot=on,file=" + name, "-device", "virtio-blk-pci,drive=d,bootindex=1"}
}
