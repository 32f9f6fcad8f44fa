package profile

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// zoneNames are the time zones of IANA and their other names, one a line, sorted:
// what zoneinfo.zip of the Go distribution has.
//
//go:embed zones.txt
var zoneNames string

var zones = sync.OnceValue(func() []string { return strings.Fields(zoneNames) })

// system checks what every system has.
func (c *checker) system(p *Profile) {
	if !c.given("timezone") {
		return
	}
	if _, known := slices.BinarySearch(zones(), p.TimeZone); known {
		return
	}
	for _, zone := range zones() {
		if strings.EqualFold(zone, p.TimeZone) || strings.EqualFold(zone[strings.LastIndexByte(zone, '/')+1:], p.TimeZone) {
			c.add("timezone", "there is no time zone %s; did you mean %s?", shown(p.TimeZone), zone)
			return
		}
	}
	c.add("timezone", "there is no time zone %s: want an IANA name such as Europe/Berlin", shown(p.TimeZone))
}
