package linux

import (
	"bytes"
	"fmt"
	"regexp"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

var zoneForm = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`)

// setTimeZone makes /etc/localtime a link to a zone that the image has:
// localtime(5).
func (m *machine) setTimeZone() error {
	const zones = "/usr/share/zoneinfo/"
	zone := m.job.Settings.TimeZone
	if zone == "" {
		return nil
	}
	if !zoneForm.MatchString(zone) {
		return fmt.Errorf("%q is no time zone", zone)
	}
	data, err := m.read(zones + zone)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte("TZif")) { // RFC 8536, section 3.1
		return fmt.Errorf("the image has no time zone %s below %s: the package tzdata has it", zone, zones)
	}
	if err := m.link(zones+zone, "/etc/localtime", rootfs.Owner{}); err != nil {
		return err
	}
	if m.system.family == debian || m.exists("/etc/timezone") {
		if err := m.write("/etc/timezone", []byte(zone+"\n")); err != nil {
			return err
		}
	}
	return m.edit("/etc/sysconfig/clock", func(text []byte) []byte { // SUSE and RHEL, older ones
		for _, name := range []string{"TIMEZONE", "ZONE"} {
			if _, set := shellvar.Get(text, name); set {
				text = shellvar.Set(text, name, zone)
			}
		}
		return text
	})
}
