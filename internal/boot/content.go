package boot

import "bytes"

// kindByContent tells a loader by words that only it has: the component of its
// SBAT section (UEFI revocation by generation, shim's SBAT.md), or a text that
// older ones without that section show.
func kindByContent(data []byte) LoaderKind {
	for _, sign := range []struct {
		text string
		kind LoaderKind
	}{
		{"\nshim,", Shim}, {"UEFI SHIM\n", Shim},
		{"#### LoaderInfo: systemd-boot", SystemdBoot},
		{"#### LoaderInfo: systemd-stub", Kernel},
		{"\ngrub,", GRUB}, {"grub_", GRUB}, // the second is in its table of symbols
		{"r\x00E\x00F\x00I\x00n\x00d\x00", REFInd},
		{"b\x00o\x00o\x00t\x00m\x00g\x00f\x00w\x00.\x00e\x00f\x00i\x00", WindowsBoot},
	} {
		if bytes.Contains(data, []byte(sign.text)) {
			return sign.kind
		}
	}
	return Fallback
}
