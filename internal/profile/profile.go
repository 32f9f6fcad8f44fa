// Package profile says how a deployed disk becomes one machine's own: its name,
// users, network, files and first steps.
//
// It owns the file format (YAML, doc/profiles.md), its complete validation with
// file, line and column, its JSON Schema, name patterns and the table of
// machines. It applies nothing: Profile is what a file says, Settings what it
// means for one machine. It refuses keys it does not know, values that could not
// be applied, and names that NetBIOS or DNS would not take.
package profile

// Profile is one profile file.
type Profile struct {
	Name     string            `yaml:"name"`     // pattern of the host name: "lab-{serial:-6}"; "": left as it is in the image
	Machines string            `yaml:"machines"` // CSV file: one line a machine, columns are values for patterns
	Values   map[string]string `yaml:"values"`   // placeholders of one's own: name → value
	Disk     Disk              `yaml:"disk"`
	Locale   string            `yaml:"locale"`   // "de_DE.UTF-8"; for Windows de-DE is made of it
	Keyboard string            `yaml:"keyboard"` // XKB layout, with variant: "de", "de(nodeadkeys)"
	TimeZone string            `yaml:"timezone"` // IANA: "Europe/Berlin"; for Windows its name is looked up
	Users    []User            `yaml:"users"`
	Network  []Interface       `yaml:"network"`
	Files    []File            `yaml:"files"`
	Scripts  []Script          `yaml:"scripts"` // run once, in order, at the first boot
	Drivers  string            `yaml:"drivers"` // folder of driver sets
	Linux    Linux             `yaml:"linux"`
	Windows  Windows           `yaml:"windows"`
}

// Disk is how the image is fitted; the flags of deploy override it.
type Disk struct {
	Grow        string            `yaml:"grow"`        // "auto" (default), "none", "proportional", or a partition's number
	FileSystems map[string]string `yaml:"filesystems"` // for file-based images: "root" or a partition's number → ext4, xfs, btrfs
}

// User is a local account. One that exists in the image is changed.
type User struct {
	Name     string   `yaml:"name"`
	FullName string   `yaml:"fullname"`
	Password Password `yaml:"password"` // none: the account has no password login
	Keys     []string `yaml:"keys"`     // lines of authorized_keys
	Groups   []string `yaml:"groups"`
	Admin    bool     `yaml:"admin"` // sudo or wheel; Administrators
	Shell    string   `yaml:"shell"`
}

// Password is given in one of these ways, or not at all.
type Password struct {
	Hash Secret `yaml:"hash"` // crypt(5), "$6$..." or "$y$..."; Linux only
	File string `yaml:"file"` // a file whose first line is the password
	// Plain is what File held, or what stands in the profile. It is hashed before
	// it is written where the system takes a hash.
	Plain Secret `yaml:"plain"`
}

// Secret is a string that does not show itself.
type Secret string

// String hides the secret from logs, errors and plans.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(hidden)"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Interface is the configuration of network interfaces.
type Interface struct {
	Name      string   `yaml:"name"` // "eth0", or a pattern "en*"
	MAC       string   `yaml:"mac"`  // instead of Name
	DHCP      bool     `yaml:"dhcp"`
	Addresses []string `yaml:"addresses"` // "192.0.2.7/24"
	Gateway   string   `yaml:"gateway"`
	DNS       []string `yaml:"dns"`
	Search    []string `yaml:"search"`
}

// File is a file or folder that is added to the system.
type File struct {
	Path    string `yaml:"path"`    // on the deployed system: "/etc/motd", "C:\\lab\\readme.txt"
	Content string `yaml:"content"` // the text itself ...
	Source  string `yaml:"source"`  // ... or a file or folder beside the profile; absolute in Settings
	Expand  bool   `yaml:"expand"`  // expand patterns in Content; left alone otherwise, since scripts are full of braces
	Mode    string `yaml:"mode"`    // "0644"; Linux only
	Owner   string `yaml:"owner"`   // "root:root", by name or number; Linux only
}

// Script runs once at the first boot of the deployed machine.
type Script struct {
	Name    string `yaml:"name"`    // shown in its log
	Content string `yaml:"content"` // begins with #! on Linux; a batch file on Windows
	Source  string `yaml:"source"`  // ... or a file beside the profile; .cmd, .bat and .ps1 on Windows
	Expand  bool   `yaml:"expand"`  // expand patterns in Content
}

// Linux is what only Linux has. The zero value makes a system unique: a new
// machine-id, new SSH host keys, a new random seed.
type Linux struct {
	MachineID   string   `yaml:"machine-id"`    // "new" (default) or "keep"
	SSHHostKeys string   `yaml:"ssh-host-keys"` // "new" (default) or "keep"
	Root        Password `yaml:"root"`          // of the account root; none: left as it is
	RootKeys    []string `yaml:"root-keys"`
	CloudInit   string   `yaml:"cloud-init"` // "seed" (default where it is installed), "off" (disabled), "keep"
	KernelArgs  []string `yaml:"kernel-args"`
}

// Windows is what only Windows has.
type Windows struct {
	ProductKey     string         `yaml:"product-key"`
	Administrator  Password       `yaml:"administrator"`
	Owner          string         `yaml:"owner"`
	Organization   string         `yaml:"organization"`
	Workgroup      string         `yaml:"workgroup"`
	Domain         Domain         `yaml:"domain"`
	TimeZone       string         `yaml:"timezone"`       // Windows' own name, where the IANA one is not known
	Keyboard       string         `yaml:"keyboard"`       // input locale: "0407:00000407"
	Commands       []string       `yaml:"commands"`       // at the first log-on, in order
	SetupComplete  []string       `yaml:"setup-complete"` // lines of SetupComplete.cmd: as system, before the first log-on
	Registry       []RegistryEdit `yaml:"registry"`
	Unattend       string         `yaml:"unattend"`        // own file, used as template: what the profile says is put into it
	NotGeneralized string         `yaml:"not-generalized"` // "refuse" (default) or "force": deploy an image without sysprep to more than one machine
}

// Domain is a domain to join: online with an account, or offline with a blob of
// djoin.exe.
type Domain struct {
	Name     string   `yaml:"name"` // "ad.example.org"
	User     string   `yaml:"user"`
	Password Password `yaml:"password"`
	OU       string   `yaml:"ou"`
	Blob     string   `yaml:"blob"` // file that djoin /provision wrote; may hold patterns, as "{name}.djoin"
}

// RegistryEdit sets or deletes one value.
type RegistryEdit struct {
	Key    string `yaml:"key"`  // "HKLM\\SOFTWARE\\Policies\\..."; SYSTEM's CurrentControlSet is understood
	Name   string `yaml:"name"` // "" is the default value
	Type   string `yaml:"type"` // "sz" (default), "expand-sz", "dword", "qword", "multi-sz", "binary"
	Value  string `yaml:"value"`
	Delete bool   `yaml:"delete"`
}
