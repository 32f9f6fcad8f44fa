package linux

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
	"go.yaml.in/yaml/v3"
)

// quick are settings that make no keys.
func quick() profile.Settings {
	var s profile.Settings
	s.Linux.SSHHostKeys = keep
	return s
}

// TestNetworkProgram: the network is written for what the image uses.
func TestNetworkProgram(t *testing.T) {
	const nm = "etc/systemd/system/multi-user.target.wants/NetworkManager.service"
	for name, c := range map[string]struct {
		more    tree
		written []string
		removed []string
	}{
		"ifupdown":                  {tree{}, []string{"/etc/network/interfaces.d/ingot"}, nil},
		"NetworkManager, but wired": {tree{nm: "link:/x"}, []string{"/etc/network/interfaces.d/ingot"}, nil},
		"NetworkManager": {tree{nm: "link:/x", "etc/network/interfaces": "auto lo\niface lo inet loopback\n",
			"etc/NetworkManager/system-connections/old.nmconnection": "[connection]\ntype=ethernet\n", "etc/NetworkManager/system-connections/port": "[connection]\ntype=ethernet\nmaster=br0\n"},
			[]string{"/etc/NetworkManager/system-connections/ingot-0.nmconnection"}, []string{"/etc/NetworkManager/system-connections/old.nmconnection"}},
		"networkd": {tree{"etc/systemd/system/multi-user.target.wants/systemd-networkd.service": "link:/x"}, []string{"/etc/systemd/network/00-ingot-0.network"}, nil},
		"netplan": {tree{nm: "link:/x", "etc/netplan/50-cloud-init.yaml": "network: {version: 2, ethernets: {e: {dhcp4: true}}}"},
			[]string{"/etc/netplan/90-ingot.yaml"}, []string{"/etc/netplan/50-cloud-init.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := debianTree.with(c.more).build(t)
			s := quick()
			s.Network = []profile.Interface{{Name: "eth*", DHCP: true}}
			report := apply(t, dir, jobFor(s))
			for _, want := range c.written {
				if !slices.Contains(report.Changed, want) {
					t.Errorf("%s was not written, but %v", want, report.Changed)
				}
			}
			for _, gone := range c.removed {
				if _, err := os.Lstat(filepath.Join(dir, gone)); err == nil {
					t.Errorf("%s is left", gone)
				}
			}
		})
	}
}

func TestCloudInit(t *testing.T) {
	more := tree{
		"etc/cloud/cloud.cfg": "x", "var/lib/cloud/instance": "link:instances/i-1", "var/lib/cloud/instances/i-1/user-data.txt": "x", "var/lib/cloud/data/instance-id": "i-1",
	}
	dir := debianTree.with(more).build(t)
	s := full()
	s.Linux.SSHHostKeys = keep
	apply(t, dir, jobFor(s))
	for _, name := range []string{"meta-data", "user-data", "network-config"} {
		var v map[string]any
		text := read(t, dir, seedDir+"/"+name)
		if err := yaml.Unmarshal([]byte(text), &v); err != nil || len(v) == 0 {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		if name == "meta-data" && v["local-hostname"] != "lab-07" {
			t.Errorf("%s", text)
		}
		if name == "user-data" && (v["ssh_deletekeys"] != false || v["disable_root"] != false || v["preserve_hostname"] != true || !strings.HasPrefix(text, "#cloud-config\n")) {
			t.Errorf("%s", text)
		}
	}
	for _, gone := range []string{"instance", "instances", "data"} {
		if _, err := os.Lstat(filepath.Join(dir, "var/lib/cloud", gone)); err == nil {
			t.Errorf("%s is left", gone)
		}
	}
	off := quick()
	off.Linux.CloudInit = "off"
	dir = debianTree.with(more).build(t)
	if r := apply(t, dir, jobFor(off)); !slices.Contains(r.Changed, cloudOff) || slices.Contains(r.Changed, seedDir+"/meta-data") {
		t.Errorf("off: %v", r.Changed)
	}
	off.Linux.CloudInit = "seed"
	if r := apply(t, dir, jobFor(off)); slices.Contains(r.Changed, seedDir+"/meta-data") {
		t.Errorf("it was switched on again: %v", r.Changed)
	}
}

// TestAdmin: an administrator is one to sudo, which visudo judges.
func TestAdmin(t *testing.T) {
	for name, c := range map[string]struct {
		more tree
		rule bool
	}{
		"debian":  {nil, false},
		"arch":    {tree{"etc/os-release": "ID=arch\n", "etc/sudoers 440": "root ALL=(ALL:ALL) ALL\n# %wheel ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"}, true},
		"suse":    {tree{"etc/os-release": "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", "etc/sudoers 440": "Defaults targetpw\nALL ALL=(ALL) ALL\n#includedir /etc/sudoers.d\n"}, true},
		"unknown": {tree{"etc/os-release": "ID=other\n", "etc/sudoers 440": "root ALL=(ALL) ALL\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := debianTree.with(c.more).build(t)
			s := quick()
			s.Users = []profile.User{{Name: "eve", Admin: true}}
			r := apply(t, dir, jobFor(s))
			if slices.Contains(r.Changed, "/etc/sudoers.d/ingot-admin") != c.rule {
				t.Errorf("changed %v, noted %q", r.Changed, r.Notes)
			}
			for _, file := range []string{"etc/sudoers", "etc/sudoers.d/ingot-admin"} {
				if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
					continue
				}
				if out, err := exec.Command("/usr/sbin/visudo", "-cf", filepath.Join(dir, file)).CombinedOutput(); err != nil {
					t.Errorf("visudo: %s", out)
				}
			}
			if got := read(t, dir, "etc/group"); !strings.Contains(got, ":eve\n") {
				t.Errorf("group:\n%s", got)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	source := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(source, "sub"), 0o750))
	must(t, os.WriteFile(filepath.Join(source, "sub/run"), []byte("#!/bin/sh\n"), 0o755))
	must(t, os.Symlink("sub/run", filepath.Join(source, "link")))
	big := filepath.Join(source, "big")
	must(t, os.WriteFile(big, []byte(strings.Repeat("0123456789abcdef", maxHeld/8)), 0o640))
	dir := debianTree.build(t)
	s := quick()
	s.Files = []profile.File{
		{Path: "/opt/lab", Source: source, Owner: "old"},
		{Path: "/opt/big", Source: big, Mode: "0600"},
		{Path: `C:\lab\x`, Content: "for Windows"},
		{Path: "/bin/tool", Content: "#!/bin/sh\n", Mode: "755"},
	}
	r := apply(t, dir, jobFor(s))
	if slices.Contains(r.Changed, "/bin/tool") || !slices.Contains(r.Changed, "/usr/bin/tool") {
		t.Errorf("/bin is a link to usr/bin; changed %v", r.Changed)
	}
	out, err := exec.Command("stat", "-c", "%n %a %u:%g %F", dir+"/opt/lab", dir+"/opt/lab/sub", dir+"/opt/lab/sub/run", dir+"/opt/lab/link", dir+"/opt/lab/big", dir+"/opt/big").Output()
	must(t, err)
	want := "/opt/lab 755 1000:1000 directory\n/opt/lab/sub 750 1000:1000 directory\n/opt/lab/sub/run 755 1000:1000 regular file\n/opt/lab/link 777 1000:1000 symbolic link\n/opt/lab/big 640 1000:1000 regular file\n/opt/big 600 0:0 regular file\n"
	if got := strings.ReplaceAll(string(out), dir, ""); got != want {
		t.Errorf("%s", got)
	}
	s.Linux.MachineID = keep
	if r := apply(t, dir, jobFor(s)); !slices.Equal(r.Changed, []string{"/var/lib/systemd/random-seed"}) {
		t.Errorf("a second run changed %v", r.Changed)
	}
}

// TestSysV: without systemd, the first boot is System V's.
func TestSysV(t *testing.T) {
	tr := debianTree.with(tree{"etc/rc2.d": "dir:", "etc/rc5.d": "dir:", "etc/init.d": "dir:"})
	delete(tr, "usr/lib/systemd/systemd 755")
	dir := tr.build(t)
	s := quick()
	s.Scripts = []profile.Script{{Name: "x", Content: "#!/bin/sh\n"}}
	r := apply(t, dir, jobFor(s))
	for _, want := range []string{"/etc/init.d/ingot-firstboot", "/etc/rc2.d/S99ingot-firstboot", "/etc/rc5.d/S99ingot-firstboot"} {
		if !slices.Contains(r.Changed, want) {
			t.Errorf("%s is missing in %v", want, r.Changed)
		}
	}
	if out, err := exec.Command("sh", "-n", filepath.Join(dir, sysvFile)).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}

// TestLocales: a locale that the image speaks is not made again; the judge is an
// archive that localedef made.
func TestLocales(t *testing.T) {
	dir := debianTree.build(t)
	must(t, os.MkdirAll(filepath.Join(dir, "usr/lib/locale"), 0o755))
	if out, err := exec.Command("localedef", "--prefix="+dir, "-i", "/usr/share/i18n/locales/C", "-f", "UTF-8", "-c", "de_DE.UTF-8").CombinedOutput(); err != nil {
		if _, missing := os.Stat(filepath.Join(dir, "usr/lib/locale/locale-archive")); missing != nil {
			t.Fatalf("localedef: %v\n%s", err, out)
		}
	}
	s := quick()
	s.Locale = "de_DE.UTF-8"
	if r := apply(t, dir, jobFor(s)); slices.Contains(r.Changed, "/etc/locale.gen") || slices.Contains(r.Changed, runnerFile) {
		t.Errorf("it was there, and %v", r.Changed)
	}
	s.Locale = "fr_FR.UTF-8"
	if r := apply(t, dir, jobFor(s)); !slices.Contains(r.Changed, runnerFile) {
		t.Errorf("it was not there, and %v", r.Changed)
	}
	if got := read(t, dir, "etc/locale.gen"); got != "# de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\nfr_FR.UTF-8 UTF-8\n" {
		t.Errorf("%q", got)
	}
	if got := read(t, dir, pendingDir+"/000.script"); got != "#!/bin/sh\nexec locale-gen\n" {
		t.Errorf("%q", got)
	}
}

// TestMachineID: links stay links, and entries of a boot loader keep their names.
func TestMachineID(t *testing.T) {
	dir := fedoraTree.with(tree{"var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n"}).build(t)
	apply(t, dir, jobFor(quick()))
	id := read(t, dir, "etc/machine-id")
	if !machineIDForm.MatchString(strings.TrimSpace(id)) || strings.HasPrefix(id, "0123456789abcdef") || id != read(t, dir, "var/lib/dbus/machine-id") {
		t.Errorf("%s", id)
	}
	if got := read(t, dir, "etc/kernel/entry-token"); got != "0123456789abcdef0123456789abcdef\n" {
		t.Errorf("%s", got)
	}
	if got := read(t, dir, "etc/iscsi/initiatorname.iscsi"); !strings.HasPrefix(got, "InitiatorName=iqn.1994-05.com.redhat:") || strings.Contains(got, "aabbccddeeff") {
		t.Errorf("%s", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "etc/ssh/ssh_host_ecdsa_key")); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestKeyboards(t *testing.T) {
	dir := fedoraTree.build(t)
	s := quick()
	s.Keyboard = "de(nodeadkeys)"
	apply(t, dir, jobFor(s))
	if got := read(t, dir, "etc/vconsole.conf"); got != "KEYMAP=\"de-nodeadkeys\"\n" {
		t.Errorf("%s", got)
	}
	if got := read(t, dir, "etc/X11/xorg.conf.d/00-keyboard.conf"); !strings.Contains(got, "\"XkbLayout\" \"de\"\n        Option \"XkbVariant\" \"nodeadkeys\"\n") {
		t.Errorf("%s", got)
	}
}

func TestHosts(t *testing.T) {
	for name, c := range map[string]struct{ old, name, hosts, want string }{
		"no line yet":     {"ref", "new", "127.0.0.1 localhost\n192.0.2.1 gate\n", "127.0.0.1 localhost\n127.0.1.1\tnew\n192.0.2.1 gate\n"},
		"part of a word":  {"ref", "new", "127.0.1.1 ref reference ref-2 pref ref.x\n", "127.0.1.1 new reference ref-2 pref new.x\n"},
		"localhost":       {"localhost", "new", "127.0.0.1 localhost localhost.localdomain\n", "127.0.0.1 localhost localhost.localdomain\n127.0.1.1\tnew\n"},
		"with domain":     {"ref", "new.lab.example", "127.0.1.1 ref.old.example ref\n", "127.0.1.1 new.lab.example new\n"},
		"old domain":      {"ref.old.example", "new", "127.0.1.1 ref.old.example ref\n", "127.0.1.1 new.old.example new\n"},
		"domain added":    {"ref", "new.x", "127.0.0.1 localhost\n127.0.1.1 ref\n", "127.0.0.1 localhost\n127.0.1.1\tnew.x new\n127.0.1.1 new\n"},
		"of another host": {"ref", "new", "127.0.1.1 ref\n192.0.2.7 ref\n", "127.0.1.1 new\n192.0.2.7 ref\n"},
		"in a comment":    {"ref", "new", "127.0.1.1 ref # ref\n# ref\n", "127.0.1.1 new # ref\n# ref\n"},
	} {
		dir := debianTree.with(tree{"etc/hostname": c.old + "\n", "etc/hosts": c.hosts}).build(t)
		s := quick()
		s.Hostname = c.name
		apply(t, dir, jobFor(s))
		if got := read(t, dir, "etc/hosts"); got != c.want {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
