package machine

import (
	"io/fs"
	"regexp"
	"strings"
)

// dmi returns one identification of the machine, "" when it is not known. Most
// of them may be read by anyone, serial numbers and the UUID by root only.
func dmi(fsys fs.FS, name string) string {
	return Known(attribute(fsys, "sys/class/dmi/id", name))
}

// Known returns s, or "" when s is what firmware says that was never told.
func Known(s string) string {
	plain := strings.TrimRight(strings.ToLower(strings.Join(strings.Fields(s), " ")), ".! ")
	if placeholder(plain) || filled(plain) {
		return ""
	}
	return s
}

// placeholder knows the values that makers of boards leave in place, in lower
// case and without a full stop.
func placeholder(s string) bool {
	switch s {
	case "", "to be filled by o.e.m", "to be filled by oem", "to be filled", "tbd", "tbd by oem", "o.e.m", "oem", "reserved", "sample",
		"default string", "default_string", "default", "empty string", "empty", "none", "null", "n/a", "na", "invalid", "void", "unknown",
		"not available", "not applicable", "not specified", "not settable", "not present", "not defined", "undefined",
		"<bad index>", "<out of spec>", "standard", "all series", "type1productconfigid", "xxxxxxx",
		"system manufacturer", "system product name", "system version", "system sku", "system uuid", "system serial number", "sku",
		"base board manufacturer", "base board product name", "base board serial number", "board serial number", "product name",
		"chassis manufacture", "chassis version", "chassis serial number", "chassis asset tag", "serial number", "serial", "oem_serial",
		"asset tag", "asset tag not set", "no asset tag", "no asset information", "no enclosure", "asset-1234567890",
		"1234567890", "0123456789", "123456789", "012345678", "0123456789abcdef", "bss-0123456789", "mb-1234567890", "sys-1234567890":
		return true
	}
	return false
}

// filled reports whether s is one character repeated, as 0000000 and
// FF-FF-FF-FF: a field that was wiped and never set.
func filled(s string) bool {
	s = strings.NewReplacer("-", "", ":", "", " ", "", ".", "").Replace(s)
	if s == "" {
		return true
	}
	return len(s) > 3 && strings.Count(s, s[:1]) == len(s) && strings.ContainsAny(s[:1], "01fx*?")
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// KnownUUID returns a machine's UUID in lower case, "" for what is none and for the
// ones that whole series of boards share.
func KnownUUID(s string) string {
	s = strings.ToLower(s)
	if !uuidForm.MatchString(s) || Known(s) == "" {
		return ""
	}
	switch s {
	case "03000200-0400-0500-0006-000700080009", "00020003-0004-0005-0006-000700080009",
		"12345678-1234-5678-90ab-cddeefaabbcc", "12345678-1234-1234-1234-123456789abc", "01234567-89ab-cdef-0123-456789abcdef",
		"fefefefe-fefe-fefe-fefe-fefefefefefe", "31323334-3536-3738-3930-313233343536":
		return ""
	}
	return s
}
