package drivers

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// intel is shaped as the INF files of network cards are.
const intel = `;*****
; e1d.inf
[Version]
Signature   = "$Windows NT$"
Class       = Net
ClassGUID   = {4d36e972-e325-11ce-bfc1-08002be10318}
Provider    = %Intel%
CatalogFile = e1d.cat
DriverVer   = 07/22/2021,12.19.1.37

[Manufacturer]
%Intel%     = Intel, NTamd64.10.0, NTamd64.10.0.1..16299, NTarm64.10.0 ; comment

[Intel]

[Intel.NTamd64.10.0]
%E15F3.DeviceDesc%            = E15F3, PCI\VEN_8086&DEV_15F3
%E15F3.DeviceDesc%            = E15F3, "PCI\VEN_8086&DEV_15F3&SUBSYS_00011028&REV_03", \
    pci\ven_8086&dev_15f4

[intel.ntamd64.10.0.1..16299]
"Quoted, ; = name"            = E15F5, %Id%

[Intel.NTarm64.10.0]
%E15F3.DeviceDesc%            = E15F3, PCI\VEN_8086&DEV_FFFF

[Strings]
Intel                         = "Intel ""100%"" Corporation"
E15F3.DeviceDesc              = "Intel(R) Ethernet Controller (3) I225-LM"
Id                            = "PCI\VEN_8086&DEV_15F5"
`

func utf16le(s string, mark bool) []byte {
	var b []byte
	if mark {
		b = []byte{0xFF, 0xFE}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestParseINF(t *testing.T) {
	want := []string{`PCI\VEN_8086&DEV_15F3`, `PCI\VEN_8086&DEV_15F3&SUBSYS_00011028&REV_03`, `PCI\VEN_8086&DEV_15F4`, `PCI\VEN_8086&DEV_15F5`}
	for name, data := range map[string][]byte{
		"UTF-8":          []byte(intel),
		"UTF-8, marked":  []byte("\ufeff" + intel),
		"UTF-16":         utf16le(intel, true),
		"UTF-16, bare":   utf16le(intel, false),
		"ANSI":           []byte(strings.Replace(intel, "Intel(R)", "Intel\xAE", 1)),
		"DOS line ends":  []byte(strings.ReplaceAll(intel, "\n", "\r\n")),
		"end of the DOS": []byte(intel + "\x1a\x00"),
	} {
		inf := ParseINF(data, "amd64")
		if !slices.Equal(inf.IDs, want) {
			t.Errorf("%s: IDs %q", name, inf.IDs)
		}
		if inf.Class != "Net" || inf.Catalog != "e1d.cat" || inf.Date != "07/22/2021" || inf.Version != "12.19.1.37" || inf.Provider != `Intel "100%" Corporation` {
			t.Errorf("%s: %+v", name, inf)
		}
	}
	if inf := ParseINF([]byte(intel), "arm64"); !slices.Equal(inf.IDs, []string{`PCI\VEN_8086&DEV_FFFF`}) {
		t.Errorf("for arm64: %q", inf.IDs)
	}
}

func TestBrokenINF(t *testing.T) {
	for text, ids := range map[string]int{
		"":                              0,
		"\x00\x01\x02":                  0,
		"[Manufacturer":                 0,
		"[Manufacturer]\n=":             0,
		"[Manufacturer]\nx=\n[x]\na=b,": 0,
		"[Manufacturer]\nx=y,NTamd64\n[y.NTamd64]\n=a,B\n\"unclosed = c, D": 1,
		"[Manufacturer]\n%a%=y,NTamd64\n[y.NTamd64]\n%%=%,%b%,50%":          2,
		"[Manufacturer]\nx=y\n[y]\nd=i,USB\\VID_1&PID_2":                    0, // for x86
		"[Manufacturer]\nx=y,NTamd64\n[y.NTamd64]\nd=i\\\n\\\n,A\\":         0,
	} {
		if inf := ParseINF([]byte(text), "amd64"); len(inf.IDs) != ids {
			t.Errorf("%q gives %q", text, inf.IDs)
		}
	}
	if inf := ParseINF([]byte("[Manufacturer]\nx=y,NTx86\n[y.NTx86]\nd=i,USB\\VID_1&PID_2"), "amd64"); !inf.Foreign {
		t.Error("a driver for x86 alone is not foreign")
	}
	bomb := "[Manufacturer]\nx=y,NTamd64\n[Strings]\na=" + strings.Repeat("x", maxString+1) + "\n[y.NTamd64]\n" + strings.Repeat("d=i,%a%%a%%a%\n", 1000)
	if inf := ParseINF([]byte(bomb), "amd64"); len(inf.IDs) > 1 {
		t.Errorf("%d IDs", len(inf.IDs))
	}
}

func TestHardwareIDs(t *testing.T) {
	nic := profile.Device{Bus: "pci", ID: "8086:15f3", Class: "020000", Subsys: "1028:0001"}
	mouse := profile.Device{Bus: "usb", ID: "046d:c52b", Class: "03", Modalias: "usb:v046DpC52Bd1211dc00dsc00dp00ic03isc01ip02in01"}
	for _, c := range []struct {
		device profile.Device
		id     string
		claims bool
	}{
		{nic, `PCI\VEN_8086&DEV_15F3`, true},
		{nic, `PCI\VEN_8086&DEV_15F3&REV_03`, true},
		{nic, `PCI\VEN_8086&DEV_15F3&SUBSYS_00011028`, true},
		{nic, `PCI\VEN_8086&DEV_15F3&SUBSYS_00011028&REV_03`, true},
		{nic, `PCI\VEN_8086&DEV_15F3&SUBSYS_00021028`, false},
		{nic, `PCI\CC_0200`, true},
		{nic, `PCI\VEN_8086&DEV_15F4`, false},
		{mouse, `USB\VID_046D&PID_C52B&MI_01`, true},
		{mouse, `USB\VID_046D&PID_C52B&REV_1211&MI_01`, true},
		{mouse, `USB\VID_046D&PID_C52B&MI_00`, false},
		{mouse, `USB\CLASS_03&SUBCLASS_01&PROT_02`, true},
		{mouse, `USB\CLASS_03`, true},
		{mouse, `USB\CLASS_08`, false},
	} {
		ids := idSet{}
		ids.add(c.id)
		if ids.Claims(c.device) != c.claims {
			t.Errorf("%s claims %s: want %v", c.id, c.device.ID, c.claims)
		}
	}
}

func FuzzINF(f *testing.F) {
	f.Add([]byte(intel))
	f.Add(utf16le(intel, true))
	f.Add([]byte("[Manufacturer]\n%a%=y,NTamd64\n[y.NTamd64]\n%%=%,%b%,50%\n[Strings]\na=\"b\"\"\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		inf := ParseINF(data, "amd64")
		if !slices.IsSorted(inf.IDs) || len(inf.IDs) > maxIDs {
			t.Errorf("%d IDs", len(inf.IDs))
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add([]byte("maker: [Dell Inc.]\nmodel: \"Latitude *\"\nos: windows\npci: ['8086:15f3']\npriority: 10\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Set{}
		var problems []profile.Problem
		if s.Match, problems = parseMatch("match.yaml", data); len(problems) > 0 {
			return
		}
		s.fits(profile.Facts{Maker: "Dell", Model: "x"}, Target{OS: Windows})
	})
}
