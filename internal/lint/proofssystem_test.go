package lint

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/hive"
)

func ofIdentities(t *testing.T) map[ID]proof {
	const systemFile, softwareFile = "Windows/System32/config/SYSTEM", "Windows/System32/config/SOFTWARE"
	return map[ID]proof{
		NotGeneralized: {with: on(softwareFile, softwareHive(t, "IMAGE_STATE_COMPLETE")), without: on("x", ""), what: "IMAGE_STATE_COMPLETE"},
		DomainMember: {
			with:    on(systemFile, systemHive(t, setting{`ControlSet001\Services\Tcpip\Parameters`, hive.String("Domain", "corp.example")})),
			without: file("etc/krb5.conf", "x"), what: "corp.example",
		},
		ServiceIdentity: {with: file("etc/wireguard/wg0.conf", "x"), without: file("etc/wireguard", folder), what: "WireGuard"},
		MachineID:       {with: file("etc/machine-id", "0123456789abcdef0123456789abcdef\n"), without: file("etc/machine-id", "uninitialized\n")},
		HostKeys:        {with: file("etc/ssh/ssh_host_ed25519_key", "x"), without: file("etc/ssh/ssh_host_ed25519_key.pub", "x")},
		RandomSeed:      {with: file("var/lib/systemd/random-seed", "x"), without: file("var/lib/systemd/random-seed", "")},
		CloudInit: {
			with:    fixture{linux: map[string]string{"etc/cloud/cloud.cfg": "x", "var/lib/cloud/instances/i-1/x": ""}},
			without: file("etc/cloud/cloud.cfg", "x"), what: "i-1",
		},
	}
}

func ofSecret() map[ID]proof {
	const key = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"
	const wifi = "[wifi]\nssid=x\n[wifi-security]\n"
	return map[ID]proof{
		VolumeKey: {
			with:    fixture{linux: map[string]string{"etc/crypttab": "data UUID=1 /etc/keys/data luks\n", "etc/keys/data": "secret"}},
			without: file("etc/crypttab", "data UUID=1 /etc/keys/data luks\nswap UUID=2 /dev/urandom swap\n"), what: "opens data", path: "/etc/keys/data",
		},
		PrivateKeys: {with: file("srv/anna/.ssh/work", key), without: file("srv/anna/.ssh/work.pub", "ssh-ed25519 AAAA"), path: "/srv/anna"},
		Credentials: {with: file("root/.aws/credentials", "x"), without: file("root/.aws/config", "x")},
		RootKeys:    {with: file("root/.ssh/authorized_keys", "# mine\nssh-ed25519 AAAA\n"), without: file("root/.ssh/authorized_keys", "# none\n\n"), what: "root: 1,"},
		Histories: {
			with:    on("Users/anna/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt", "x"),
			without: file("root/.bash_history", ""), what: "anna",
		},
		WirelessKeys: {
			with:    file("etc/NetworkManager/system-connections/home", wifi+"psk=secret\n"),
			without: file("etc/NetworkManager/system-connections/home", wifi+"psk-flags=1\n"), what: "system-connections/home",
		},
	}
}

func ofStates(t *testing.T) map[ID]proof {
	const softwareFile = "Windows/System32/config/SOFTWARE"
	large := func(name string, size int64) func(dir string) error {
		return func(dir string) error {
			return os.Truncate(filepath.Join(dir, name), size)
		}
	}
	log := map[string]string{"var/cache/apt/archives/x.deb": ""}
	ready := "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
	return map[ID]proof{
		WindowsAsleep:    {with: on("hiberfil.sys", "HIBR and more"), without: on("hiberfil.sys", "\x00\x00\x00\x00")},
		RegistryNotClean: {with: on(softwareFile, notClosed(softwareHive(t, ready))), without: on("x", ""), what: "SOFTWARE"},
		PendingReboot: {
			with: on(softwareFile, softwareHive(t, ready, setting{
				`Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`, hive.Number("x", 1),
			})),
			without: on("Windows/WinSxS/done.xml", ""), what: "component servicing",
		},
		PackagesUnfinished: {
			with:    file("var/lib/dpkg/status", "Package: good\nStatus: install ok installed\n\nPackage: bad\nStatus: install ok half-configured\n"),
			without: file("var/lib/dpkg/status", "Package: a\nStatus: deinstall ok config-files\n\nPackage: b\nStatus: install ok installed\n"), what: ": bad.",
		},
		DeviceEncryption: {with: on(softwareFile, softwareHive(t, ready, setting{`Policies\Microsoft\FVE`, hive.Number("x", 1)})), without: on("x", "")},
		Snapshots: {
			with:    on("System Volume Information/{1-2}"+idShadow, "x"),
			without: file(".snapshots/1/info.xml", "x"), what: ": 1,",
		},
		Caches: {
			with:    fixture{linux: log, harm: large("var/cache/apt/archives/x.deb", minCache)},
			without: fixture{linux: log, harm: large("var/cache/apt/archives/x.deb", minCache-1)}, what: "32 MiB",
		},
	}
}

// notClosed makes a hive one that was not closed in order: its first sequence
// number is ahead of the second, and the checksum says so.
func notClosed(data string) string {
	b := []byte(data)
	const sequence, checksum = 4, 508
	old := binary.LittleEndian.Uint32(b[sequence:])
	binary.LittleEndian.PutUint32(b[sequence:], old+1)
	sum := binary.LittleEndian.Uint32(b[checksum:])
	binary.LittleEndian.PutUint32(b[checksum:], sum^old^(old+1))
	return string(b)
}
