package lint

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/hive"
)

// bareLinux is a system about which nothing is to be said.
func bareLinux() map[string]string {
	bare := map[string]string{
		"etc/os-release":       "PRETTY_NAME=\"Debian GNU/Linux 12\"\n",
		"etc/fstab":            "# /dev/sda1 was here\nUUID=1-2 / ext4 defaults 0 1\n",
		"usr/lib/modules/6.1/": folder,
		"lib":                  link + "usr/lib",
		"etc/passwd":           "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/false\nanna:x:1000:1000::/srv/anna:/bin/sh\n",
		"root/":                folder,
		"srv/anna/":            folder,
	}
	for i := range fewFirmware {
		bare[fmt.Sprintf("usr/lib/firmware/%d", i)] = "x"
	}
	return bare
}

// bareWindows is one that sysprep has generalized.
func bareWindows(t *testing.T) map[string]string {
	return map[string]string{
		"Windows/System32/config/SYSTEM":   systemHive(t),
		"Windows/System32/config/SOFTWARE": softwareHive(t, "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"),
		"Windows/System32/config/SECURITY": hiveOf(t),
		"Users/anna/":                      folder,
	}
}

// bareESP is one that every machine starts.
func bareESP() map[string]string {
	return map[string]string{
		"EFI/BOOT/BOOTX64.EFI":   efi(x64, boot.ThirdParty2011, boot.ThirdParty2023),
		"EFI/debian/shimx64.efi": efi(x64, boot.ThirdParty2011, boot.ThirdParty2023),
		"EFI/debian/grubx64.efi": efi(x64),
	}
}

// setting is a value of a key.
type setting struct {
	key   string
	value hive.Value
}

func hiveOf(t *testing.T, settings ...setting) string {
	t.Helper()
	h, err := hive.New(5, "ROOT", time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Edit(time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if err := e.Set(s.key, s.value); err != nil {
			t.Fatal(err)
		}
	}
	data, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func systemHive(t *testing.T, more ...setting) string {
	t.Helper()
	return hiveOf(t, append([]setting{{"Select", hive.Number("Current", 1)}, {`ControlSet001\Control`, hive.String("x", "y")}}, more...)...)
}

func softwareHive(t *testing.T, imageState string, more ...setting) string {
	t.Helper()
	return hiveOf(t, append([]setting{
		{`Microsoft\Windows NT\CurrentVersion`, hive.String("ProductName", "Windows 10 Pro")},
		{`Microsoft\Windows NT\CurrentVersion`, hive.String("CurrentBuildNumber", "22631")},
		{`Microsoft\Windows\CurrentVersion\Setup\State`, hive.String("ImageState", imageState)},
	}, more...)...)
}

// Machines of EFI programs.
const (
	x64  = 0x8664
	ia32 = 0x014C
)

// efi is a program that has what is looked at: headers, and names in signatures.
func efi(machine uint16, signers ...boot.CA) string {
	const header, optional, directories, table = 0x40, 0x40 + 24, 0x40 + 24 + 112, 0x400
	b := make([]byte, table)
	copy(b, "MZ")
	b[0x3C] = header
	copy(b[header:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(b[header+4:], machine)
	binary.LittleEndian.PutUint16(b[optional:], 0x20B)
	binary.LittleEndian.PutUint32(b[directories-4:], 16)
	for _, s := range signers {
		b = append(b, s...)
	}
	if len(signers) > 0 {
		binary.LittleEndian.PutUint32(b[directories+32:], table)
		binary.LittleEndian.PutUint32(b[directories+36:], uint32(len(b)-table))
	}
	return string(b)
}
