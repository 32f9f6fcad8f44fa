package linux

import (
	"bytes"

	"github.com/ingot-imaging/ingot/internal/rootfs"
	"go.yaml.in/yaml/v3"
)

const (
	seedDir      = "/var/lib/cloud/seed/nocloud"
	cloudOff     = "/etc/cloud/cloud-init.disabled"
	cloudOwn     = "/etc/cloud/cloud.cfg.d/99-ingot.cfg"
	cloudOffText = "disabled by ingot\n"
)

// setCloudInit gives cloud-init, where it is installed, a new instance whose data
// says what was done here already, so that it does not do it its own way: data
// source NoCloud.
func (m *machine) setCloudInit() error {
	mode := m.job.Settings.Linux.CloudInit
	if mode == keep || !m.exists("/etc/cloud/cloud.cfg") && !m.program("cloud-init") {
		return nil
	}
	if mode == "off" {
		return m.write(cloudOff, []byte(cloudOffText))
	}
	if m.exists(cloudOff) {
		m.note("cloud-init is switched off in the image, and stays so")
		return nil
	}
	// What the reference PC's instance was told and has done, as 'cloud-init clean'
	// removes it.
	for _, name := range []string{"instance", "instances", "data", "sem"} {
		if err := m.remove("/var/lib/cloud/" + name); err != nil {
			return err
		}
	}
	return m.seedCloudInit()
}

// cloudConfig is what of user-data is written.
type cloudConfig struct {
	PreserveHostname bool      `yaml:"preserve_hostname,omitempty"`
	DeleteKeys       bool      `yaml:"ssh_deletekeys"` // keep the new host keys
	DisableRoot      *bool     `yaml:"disable_root,omitempty"`
	Users            *[]string `yaml:"users,omitempty"`
	Locale           string    `yaml:"locale,omitempty"`
	TimeZone         string    `yaml:"timezone,omitempty"`
}

func (m *machine) seedCloudInit() error {
	s := m.job.Settings
	uuid, err := m.uuid()
	if err != nil {
		return err
	}
	meta := map[string]string{"instance-id": "ingot-" + uuid}
	if s.Hostname != "" {
		meta["local-hostname"] = s.Hostname
	}
	user := cloudConfig{PreserveHostname: s.Hostname != "", Locale: s.Locale, TimeZone: s.TimeZone}
	if len(s.Users) > 0 {
		user.Users = &[]string{} // no default user beside them
	}
	if len(s.Linux.RootKeys) > 0 {
		user.DisableRoot = new(bool)
	}
	files := []struct {
		name, head string
		value      any
	}{
		{seedDir + "/meta-data", "", meta},
		{seedDir + "/user-data", "#cloud-config\n", user},
		{cloudOwn, "# written by ingot: the data is in " + seedDir + "\n", map[string][]string{"datasource_list": {"NoCloud", "None"}}},
	}
	if len(s.Network) > 0 { // which was written for the image's own program
		files = append(files, struct {
			name, head string
			value      any
		}{seedDir + "/network-config", "", map[string]string{"config": "disabled"}})
	}
	for _, f := range files {
		var text bytes.Buffer
		text.WriteString(f.head)
		if err := yaml.NewEncoder(&text).Encode(f.value); err != nil {
			return err
		}
		if err := m.writeAs(f.name, text.Bytes(), rootfs.Attr{Mode: 0o600}); err != nil {
			return err
		}
	}
	return nil
}
