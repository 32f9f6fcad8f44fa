package windows

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/windows/region"
	"github.com/ingot-imaging/ingot/internal/hive"
)

// identity gives a Windows that was not generalized its name, time zone and owner.
// Windows Setup does that for one that was.
func (s *session) identity() error {
	if err := s.checkName(); err != nil {
		return err
	}
	if s.info.Generalized {
		return nil
	}
	s.left()
	control, err := s.controlSet()
	if err != nil {
		return err
	}
	if err := s.rename(control); err != nil {
		return err
	}
	if err := s.timeZone(control); err != nil {
		return err
	}
	return s.owner()
}

var netBIOS = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,13}[A-Za-z0-9])?$`)

// checkName wants a name that NetBIOS and DNS take, as Windows Setup does.
func (s *session) checkName() error {
	name := s.want.Hostname
	if name != "" && (!netBIOS.MatchString(name) || strings.Trim(name, "0123456789") == "") {
		return fmt.Errorf("%q cannot be the name of a Windows machine: it takes 1 to 15 letters, digits and hyphens, and not only digits", name)
	}
	return nil
}

// rename changes the computer's name where Windows keeps it; ActiveComputerName is
// made of it at every start, and is there only if something wrote it down.
func (s *session) rename(control string) error {
	name := s.want.Hostname
	if name == "" || strings.EqualFold(name, s.info.ComputerName) {
		return nil
	}
	if s.info.DomainMember {
		s.note("The machine is a member of the domain %s under the name %s, and will have to join it again under its new name.", s.info.Domain, s.info.ComputerName)
	}
	e, err := s.edit(system)
	if err != nil {
		return err
	}
	short := strings.ToUpper(name)
	values := []struct{ key, value, text string }{
		{control + `\Control\ComputerName\ComputerName`, "ComputerName", short},
		{control + `\Services\Tcpip\Parameters`, "NV Hostname", name},
		{control + `\Services\Tcpip\Parameters`, "Hostname", name},
	}
	if active := control + `\Control\ComputerName\ActiveComputerName`; s.has(system, active) {
		values = append(values, struct{ key, value, text string }{active, "ComputerName", short})
	}
	for _, v := range values {
		if err := e.Set(v.key, hive.String(v.value, v.text)); err != nil {
			return err
		}
	}
	const logon = currentVersion + `\Winlogon`
	if who := s.text(software, logon, "DefaultDomainName"); who == "" || !strings.EqualFold(who, s.info.ComputerName) {
		return nil
	}
	if e, err = s.edit(software); err != nil {
		return err
	}
	return e.Set(logon, hive.String("DefaultDomainName", name))
}

// windowsZone is the time zone that is asked for as Windows calls it; "" for none.
func (s *session) windowsZone() (string, error) {
	if zone := s.want.Windows.TimeZone; zone != "" {
		return zone, nil
	}
	if s.want.TimeZone == "" {
		return "", nil
	}
	zone, ok := region.Zone(s.want.TimeZone)
	if !ok {
		return "", fmt.Errorf("no time zone of Windows is known for %q: set windows.timezone", s.want.TimeZone)
	}
	return zone, nil
}

// timeZone copies a time zone from where Windows describes them all; see
// REG_TZI_FORMAT and DYNAMIC_TIME_ZONE_INFORMATION.
func (s *session) timeZone(control string) error {
	zone, err := s.windowsZone()
	if err != nil || zone == "" || zone == s.info.TimeZone {
		return err
	}
	h, err := s.open(software)
	if err != nil {
		return err
	}
	from := currentVersion + `\Time Zones\` + zone
	tzi, err := h.Value(from, "TZI")
	if err != nil {
		return fmt.Errorf("look up the time zone %q: %w", zone, err)
	}
	if len(tzi.Data) != 44 {
		return fmt.Errorf("look up the time zone %q: its description has %d bytes instead of 44", zone, len(tzi.Data))
	}
	le := binary.LittleEndian
	bias, standard, daylight := le.Uint32(tzi.Data), le.Uint32(tzi.Data[4:]), le.Uint32(tzi.Data[8:])
	values := []hive.Value{
		hive.String("TimeZoneKeyName", zone), hive.Number("Bias", bias), hive.Number("ActiveTimeBias", bias+standard),
		hive.Number("StandardBias", standard), hive.Number("DaylightBias", daylight),
		hive.Bytes("StandardStart", tzi.Data[12:28]), hive.Bytes("DaylightStart", tzi.Data[28:44]),
	}
	for name, mui := range map[string]string{"StandardName": "MUI_Std", "DaylightName": "MUI_Dlt"} {
		if text := s.text(software, from, mui); text != "" {
			values = append(values, hive.String(name, text))
		}
	}
	e, err := s.edit(system)
	for _, v := range values {
		if err == nil {
			err = e.Set(control+`\Control\TimeZoneInformation`, v)
		}
	}
	return err
}

// owner sets who Windows is registered to.
func (s *session) owner() error {
	for _, v := range []struct{ name, text string }{{"RegisteredOwner", s.want.Windows.Owner}, {"RegisteredOrganization", s.want.Windows.Organization}} {
		if v.text == "" {
			continue
		}
		e, err := s.edit(software)
		if err == nil {
			err = e.Set(currentVersion, hive.String(v.name, v.text))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
