package region

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	for iana, want := range map[string]string{
		"Europe/Berlin": "W. Europe Standard Time", "Europe/London": "GMT Standard Time", "Europe/Kyiv": "FLE Standard Time", "Europe/Kiev": "FLE Standard Time",
		"Asia/Kolkata": "India Standard Time", "Asia/Calcutta": "India Standard Time", "America/New_York": "Eastern Standard Time", "US/Eastern": "Eastern Standard Time",
		"UTC": "UTC", "Etc/UTC": "UTC", "Asia/Tokyo": "Tokyo Standard Time", "Europe/Zurich": "W. Europe Standard Time", "Antarctica/Troll": "", "Mars/Base": "", "": "",
	} {
		if got, ok := Zone(iana); got != want || ok != (want != "") {
			t.Errorf("%s is %q", iana, got)
		}
	}
	if !IsZone("W. Europe Standard Time") || IsZone("Europe/Berlin") || IsZone("") {
		t.Error("IsZone")
	}
}

// TestZonesAreOnes: no name is in two lines, and the names of one line agree on the
// hour, by the tz database, at least in one half of the year: zones of Windows are
// not as fine.
func TestZonesAreOnes(t *testing.T) {
	seen := map[string]string{}
	var zones []string
	for zone, names := range lines(zoneTable, "\t") {
		zones = append(zones, zone)
		first, _ := time.LoadLocation(strings.Fields(names)[0])
		for _, name := range strings.Fields(names) {
			if seen[name] != "" {
				t.Errorf("%s is in %s and in %s", name, seen[name], zone)
			}
			seen[name] = zone
			place, err := time.LoadLocation(name)
			if err != nil || first == nil {
				continue // newer or older than this machine's tz database
			}
			agree := false
			for _, month := range []time.Month{1, 7} {
				at := time.Date(2025, month, 15, 12, 0, 0, 0, time.UTC)
				_, a := at.In(first).Zone()
				_, b := at.In(place).Zone()
				agree = agree || a == b
			}
			if !agree {
				t.Errorf("%s: %s and %s never show the same time", zone, first, name)
			}
		}
	}
	if len(zones) != 139 || !slices.IsSorted(zones) {
		t.Errorf("there are %d zones", len(zones))
	}
}

func TestLocale(t *testing.T) {
	for posix, want := range map[string]Locale{
		"de_DE.UTF-8": {"de-DE", "0407", "00000407"}, "de_CH": {"de-CH", "0807", "00000807"}, "en_US.utf8": {"en-US", "0409", "00000409"},
		"sr_RS.UTF-8@latin": {"sr-Latn-RS", "241a", "0000081a"}, "sr_RS": {"sr-Cyrl-RS", "281a", "00000c1a"}, "ja_JP.UTF-8": {"ja-JP", "0411", ""}, "de_DE@euro": {"de-DE", "0407", "00000407"},
	} {
		if got, ok := LocaleOf(posix); !ok || got != want {
			t.Errorf("%s is %v", posix, got)
		}
	}
	for _, posix := range []string{"C", "C.UTF-8", "POSIX", "xx_YY", "", "de"} {
		if got, ok := LocaleOf(posix); ok {
			t.Errorf("%s is %v", posix, got)
		}
	}
}

func TestKeyboard(t *testing.T) {
	tests := []struct {
		xkb, id string
		exact   bool
	}{{"de", "00000407", true}, {"de(nodeadkeys)", "00000407", false}, {"us(intl)", "00020409", true}, {"ch(fr)", "0000100c", true}, {"cz(qwerty)", "00010405", true}, {"xx", "", false}, {"", "", false}}
	for _, test := range tests {
		if id, exact, ok := KeyboardOf(test.xkb); id != test.id || exact != test.exact || ok != (id != "") {
			t.Errorf("%s is %q, %v, %v", test.xkb, id, exact, ok)
		}
	}
}

func TestTables(t *testing.T) {
	for table, form := range map[string]string{
		zoneTable: `[A-Z][A-Za-z0-9 .()+-]*\t[A-Za-z0-9_/+ -]+`, localeTable: `[a-z]{2}_[A-Z]{2}(@latin)? [a-z]{2}(-[A-Z][a-z]{3})?-[A-Z]{2} [0-9a-f]{4} ([0-9a-f]{8}|-)`, keyboardTable: `[a-z]+(\([a-z-]+\))? [0-9a-f]{8}`,
	} {
		whole := regexp.MustCompile("^" + form + "\n$")
		for line := range strings.Lines(table) {
			if !whole.MatchString(line) {
				t.Errorf("%q", line)
			}
		}
	}
}
