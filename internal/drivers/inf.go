package drivers

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// INF is what a driver's INF file says that a choice needs (Microsoft, 'General
// syntax rules for INF files' and 'INF Manufacturer section').
type INF struct {
	Class    string
	Provider string
	Catalog  string   // file with its signature; "": it is not signed
	Date     string   // of DriverVer, as written: mm/dd/yyyy
	Version  string   // of DriverVer
	IDs      []string // hardware and compatible IDs, upper case, sorted
	Foreign  bool     // it has models, all of them for other architectures
}

// maxINF bounds an INF file, bytes. The largest, of graphics cards, have 4 MiB.
const maxINF = 32 << 20

// ParseINF reads an INF file as Windows for an architecture ("amd64", "arm64",
// "x86") would. What makes no sense is passed over: it is never an error.
func ParseINF(data []byte, arch string) INF {
	d := parseDocument(decodeText(data))
	inf := INF{
		Class:    d.value("version", "class"),
		Provider: d.value("version", "provider"),
		Catalog:  d.catalog(arch),
	}
	driverVer := strings.Split(d.value("version", "driverver"), ",")
	inf.Date = strings.TrimSpace(driverVer[0])
	if len(driverVer) > 1 {
		inf.Version = strings.TrimSpace(driverVer[1])
	}
	ids, others := map[string]bool{}, false
	for _, name := range d.models() {
		if !forArch(name, arch) {
			others = others || len(d.entries(name)) > 0
			continue
		}
		for _, line := range d.entries(name) {
			d.addIDs(ids, line)
		}
	}
	for id := range ids {
		inf.IDs = append(inf.IDs, id)
	}
	slices.Sort(inf.IDs)
	inf.Foreign = others && len(ids) == 0
	return inf
}

// catalog prefers the one for the architecture.
func (d document) catalog(arch string) string {
	for _, key := range []string{"catalogfile.nt" + arch, "catalogfile.nt", "catalogfile"} {
		if name := d.value("version", key); name != "" {
			return name
		}
	}
	return ""
}

// models returns the names of the sections with models, in lower case: those that
// the Manufacturer section names, plain and with each decoration.
func (d document) models() []string {
	var names []string
	for _, line := range d.entries("manufacturer") {
		fields := splitFields(line.text)
		base := strings.ToLower(d.expand(fields[0]))
		if base == "" {
			base = strings.ToLower(d.expand(line.key)) // 'entry' alone names the section itself
		}
		names = append(names, base)
		for _, decoration := range fields[1:] {
			names = append(names, base+"."+strings.ToLower(d.expand(decoration)))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// forArch reports whether a models section counts for an architecture. Windows
// for 64 bits ignores those without a decoration, which are for x86. Versions of
// Windows in the decoration are not looked at.
func forArch(section, arch string) bool {
	_, decoration, decorated := strings.Cut(section, ".")
	if !decorated {
		return arch == "x86"
	}
	decoration, _, _ = strings.Cut(decoration, ".")
	return decoration == "nt"+arch || decoration == "nt" && arch == "x86"
}

// maxIDs bounds the hardware IDs of one file.
const maxIDs = 1 << 18

// addIDs takes the IDs of a line: description = install section, ID, ID...
func (d document) addIDs(ids map[string]bool, line entry) {
	for i, field := range splitFields(line.text) {
		id := strings.ToUpper(d.expand(field))
		if i == 0 || id == "" || len(id) > 255 || len(ids) >= maxIDs {
			continue
		}
		ids[id] = true
	}
}

// decodeText returns an INF's text: UTF-16 or UTF-8 by its mark, UTF-16 without
// one by its zeros, else UTF-8 or, when it is not valid, Latin 1 for ANSI.
func decodeText(data []byte) string {
	switch {
	case len(data) > maxINF:
		return ""
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return decodeUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return decodeUTF16(data[2:], binary.BigEndian)
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data = data[3:]
	case len(data) >= 4 && data[1] == 0 && data[3] == 0:
		return decodeUTF16(data, binary.LittleEndian)
	}
	if utf8.Valid(data) {
		return string(data)
	}
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}

func decodeUTF16(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}
