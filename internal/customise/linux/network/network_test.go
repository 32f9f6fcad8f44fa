package network

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
)

func lab(t *testing.T) []Interface {
	t.Helper()
	list, err := Parse([]profile.Interface{
		{Name: "en*", DHCP: true},
		{Name: "eth1", Addresses: []string{"192.0.2.7/24", "192.0.2.8/24", "2001:db8::7/64"}, Gateway: "192.0.2.1", DNS: []string{"192.0.2.53", "2001:db8::53"}, Search: []string{"lab.example", "example"}},
		{MAC: "52-54-00-AA-BB-CC", Addresses: []string{"198.51.100.2/30"}},
		{Name: "eth3"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestNetplan lets netplan judge, and shows what it makes of the file.
func TestNetplan(t *testing.T) {
	text, err := Netplan(lab(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "etc/netplan/90-ingot.yaml"), text)
	if out, err := exec.Command("netplan", "generate", "--root-dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, text)
	}
	for name, wants := range map[string][]string{
		"10-netplan-ingot0.network": {"Name=en*\n", "DHCP=yes\n"},
		"10-netplan-eth1.network":   {"Address=192.0.2.7/24\n", "Address=2001:db8::7/64\n", "Gateway=192.0.2.1\n", "DNS=192.0.2.53\n", "Domains=lab.example example\n"},
		"10-netplan-ingot2.network": {"MACAddress=52:54:00:aa:bb:cc\n", "Address=198.51.100.2/30\n"},
	} {
		got, err := os.ReadFile(filepath.Join(dir, "run/systemd/network", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(got), want) {
				t.Errorf("%s lacks %q:\n%s", name, want, got)
			}
		}
	}
}

// TestIfupdown lets ifquery judge.
func TestIfupdown(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "interfaces")
	write(t, file, Ifupdown(lab(t)))
	for name, want := range map[string]string{"eth1": "address: 192.0.2.7\n", "ingot0": "", "ingot2": "address: 198.51.100.2\n", "eth3": ""} {
		out, err := exec.Command("ifquery", "--interfaces", file, name).CombinedOutput()
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("ifquery %s: %v: %s", name, err, out)
		}
	}
	out, err := exec.Command("ifquery", "--interfaces", file, "--list", "--allow", "auto").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "eth1\n") {
		t.Errorf("ifquery: %v: %s", err, out)
	}
}

func TestKeyfile(t *testing.T) {
	list := lab(t)
	for n, wants := range [][]string{
		{"multi-connect=3\n\n[match]\ninterface-name=en*;\n", "[ipv4]\nmethod=auto\n", "[ipv6]\nmethod=auto\n"},
		{"interface-name=eth1\n", "[ipv4]\nmethod=manual\naddress1=192.0.2.7/24\naddress2=192.0.2.8/24\ngateway=192.0.2.1\ndns=192.0.2.53;\ndns-search=lab.example;example;\n", "[ipv6]\nmethod=manual\naddress1=2001:db8::7/64\ndns=2001:db8::53;\n"},
		{"[ethernet]\nmac-address=52:54:00:AA:BB:CC\n", "[ipv6]\nmethod=ignore\n"},
		{"[ipv4]\nmethod=disabled\n"},
	} {
		got := string(Keyfile(list[n], n))
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("keyfile %d lacks %q:\n%s", n, want, got)
			}
		}
		if p := ParseKeyfile([]byte(got)); !p.Ethernet || p.Port {
			t.Errorf("read again, it is %+v", p)
		}
	}
}

func TestNetworkd(t *testing.T) {
	want := "# written by ingot\n[Match]\nName=eth1\n\n[Network]\nAddress=192.0.2.7/24\nAddress=192.0.2.8/24\nAddress=2001:db8::7/64\nGateway=192.0.2.1\nDNS=192.0.2.53\nDNS=2001:db8::53\nDomains=lab.example example\n"
	if got := string(Networkd(lab(t)[1])); got != want {
		t.Errorf("%s", got)
	}
}

func TestWithoutEthernets(t *testing.T) {
	for _, c := range []struct {
		text, want string
		shared     bool
	}{
		{"network:\n  version: 2\n  ethernets:\n    eth0: {dhcp4: true}\n", "", false},
		{"network:\n  version: 2\n  renderer: NetworkManager\n", "network:\n  version: 2\n  renderer: NetworkManager\n", false},
		{"network:\n  version: 2\n  renderer: NetworkManager\n  ethernets: {eth0: {}}\n", "network:\n    renderer: NetworkManager\n    version: 2\n", false},
		{"network:\n  ethernets: {eth0: {}}\n  bridges: {br0: {interfaces: [eth0]}}\n", "network:\n  ethernets: {eth0: {}}\n  bridges: {br0: {interfaces: [eth0]}}\n", true},
	} {
		got, shared, err := WithoutEthernets([]byte(c.text))
		if string(got) != c.want || shared != c.shared || err != nil {
			t.Errorf("%q: %q, %v, %v", c.text, got, shared, err)
		}
	}
	if !NamesMAC([]byte("network: {ethernets: {e: {match: {macaddress: '52:54:00:00:00:01'}}}}")) || NamesMAC([]byte("network: 1")) {
		t.Error("NamesMAC")
	}
}

func TestEditInterfaces(t *testing.T) {
	text := "source-directory /etc/network/interfaces.d\nauto lo eth1 br0\niface lo inet loopback\niface eth1 inet static\n  address 10.0.0.1/8\n\n# c\niface br0 inet dhcp\n  bridge_ports eth2\n"
	want := "source-directory /etc/network/interfaces.d\nauto lo br0\niface lo inet loopback\n# ingot: iface eth1 inet static\n# ingot:   address 10.0.0.1/8\n\n# c\niface br0 inet dhcp\n  bridge_ports eth2\n"
	list := lab(t)[1:2]
	got := EditInterfaces([]byte(text), list)
	if string(got) != want {
		t.Errorf("%s", got)
	}
	if again := EditInterfaces(got, list); string(again) != want {
		t.Errorf("again: %s", again)
	}
}

func FuzzEditInterfaces(f *testing.F) {
	f.Add([]byte("auto eth0\niface eth0 inet dhcp\n\tup x\n"))
	f.Add([]byte("[connection]\ntype=ethernet\n"))
	f.Add([]byte("network: {ethernets: {a: {}}, renderer: x}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list := []Interface{{Name: "eth*"}}
		once := EditInterfaces(text, list)
		if twice := EditInterfaces(once, list); string(twice) != string(once) {
			t.Fatalf("%q became %q, then %q", text, once, twice)
		}
		ParseKeyfile(text)
		Others(text)
		NamesMAC(text)
		WithoutEthernets(text)
	})
}
