package linux

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// The runner lies below /usr/local, since /var is mounted noexec on hardened
// systems. The scripts and their results are where 'ingot' and people look.
const (
	runnerFile  = "/usr/local/lib/ingot/firstboot"
	pendingDir  = "/usr/local/lib/ingot/firstboot.d"
	unitName    = "ingot-firstboot.service"
	unitFile    = "/etc/systemd/system/" + unitName
	unitLink    = "/etc/systemd/system/multi-user.target.wants/" + unitName
	sysvFile    = "/etc/init.d/ingot-firstboot"
	maxScript   = 16 << 20
	maxScripts  = 1000
	scriptMode  = 0o700
	messageMode = 0o600
)

// runner runs the scripts: a shell script for any POSIX shell.
//
//go:embed firstboot.sh
var runner []byte

// unit starts the runner once. The network is waited for, since that is what
// scripts of a first boot mostly need; systemd gives up on it after two minutes.
const unit = `# written by ingot
[Unit]
Description=First boot of a machine deployed by ingot
Wants=network-online.target
After=network-online.target
ConditionPathExists=` + pendingDir + `

[Service]
Type=oneshot
ExecStart=/bin/sh ` + runnerFile + `
TimeoutStartSec=infinity
StandardInput=null
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
`

// sysv is the same for System V init and its kin.
const sysv = `#!/bin/sh
### BEGIN INIT INFO
# Provides:          ingot-firstboot
# Required-Start:    $remote_fs $network $syslog
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: First boot of a machine deployed by ingot
### END INIT INFO
# written by ingot
[ "$1" = start ] || exit 0
[ -d ` + pendingDir + ` ] || exit 0
exec /bin/sh ` + runnerFile + `
`

// firstBootScript is work for the first boot.
type firstBootScript struct {
	name string // for people
	data []byte
}

type firstBootFile struct {
	data []byte
	mode fs.FileMode
}

// setFirstBoot puts the scripts in place, and what runs them. Their file names are
// numbers; what the profile calls them stands in a file beside them, as JSON.
func (m *machine) setFirstBoot() error {
	if err := m.readScripts(); err != nil {
		return err
	}
	if len(m.first) == 0 {
		return nil
	}
	if err := m.mkdir(pendingDir, rootfs.Attr{Mode: scriptMode}); err != nil {
		return err
	}
	files := map[string]firstBootFile{"deploy": {quoteName(m.job.Started), messageMode}}
	for n, s := range m.first {
		files[fmt.Sprintf("%03d.script", n)] = firstBootFile{s.data, scriptMode}
		files[fmt.Sprintf("%03d.name", n)] = firstBootFile{quoteName(s.name), messageMode}
	}
	there, err := m.list(pendingDir)
	if err != nil {
		return err
	}
	for _, name := range there { // of an earlier deploy that was not started yet
		if _, stays := files[name]; !stays {
			if err := m.remove(path.Join(pendingDir, name)); err != nil {
				return err
			}
		}
	}
	for _, name := range sortedKeys(files) {
		if err := m.writeAs(path.Join(pendingDir, name), files[name].data, rootfs.Attr{Mode: files[name].mode}); err != nil {
			return err
		}
	}
	if err := m.writeAs(runnerFile, runner, rootfs.Attr{Mode: scriptMode}); err != nil {
		return err
	}
	return m.enableRunner()
}

// enableRunner makes the system start the runner.
func (m *machine) enableRunner() error {
	if m.system.systemd {
		if err := m.writeAs(unitFile, []byte(unit), rootfs.Attr{Mode: 0o644}); err != nil {
			return err
		}
		return m.link(unitFile, unitLink, rootfs.Owner{})
	}
	levels := m.glob("/etc/rc[2345].d")
	if len(levels) == 0 || !m.isDir("/etc/init.d") {
		return fmt.Errorf("the image has neither systemd nor System V init: nothing would run the scripts of the profile, or what its locale needs, at the first boot")
	}
	if err := m.writeAs(sysvFile, []byte(sysv), rootfs.Attr{Mode: 0o755}); err != nil {
		return err
	}
	for _, level := range levels {
		if err := m.link("../init.d/ingot-firstboot", level+"/S99ingot-firstboot", rootfs.Owner{}); err != nil {
			return err
		}
	}
	return nil
}

// readScripts adds the profile's scripts to what the first boot has to do.
func (m *machine) readScripts() error {
	for i, s := range m.job.Settings.Scripts {
		data := []byte(s.Content)
		if s.Source != "" {
			switch strings.ToLower(path.Ext(s.Source)) {
			case ".cmd", ".bat", ".ps1": // of a profile for both systems
				continue
			}
			var err error
			if data, err = readScript(s.Source); err != nil {
				return err
			}
		}
		if !bytes.HasPrefix(data, []byte("#!")) {
			return fmt.Errorf("script %d, %.64q: it does not begin with #! and a program", i+1, s.Name)
		}
		m.first = append(m.first, firstBootScript{s.Name, data})
	}
	if len(m.first) > maxScripts {
		return fmt.Errorf("%d scripts are too many; %d are possible", len(m.first), maxScripts)
	}
	return nil
}

func readScript(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && len(data) > maxScript {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxScript)
	}
	return data, err
}

// quoteName is a name as a JSON string on one line, which holds no byte that a
// terminal or a shell could take for something else.
func quoteName(s string) []byte {
	var plain strings.Builder
	for _, r := range s[:min(len(s), 200)] {
		if r < ' ' || r > '~' {
			r = '?'
		}
		plain.WriteRune(r)
	}
	text, err := json.Marshal(plain.String())
	if err != nil {
		return []byte(`""`)
	}
	return append(text, '\n')
}
