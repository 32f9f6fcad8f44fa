package windows

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/hive"
)

// Info is what a Windows says about itself. What it does not say is "".
type Info struct {
	Product       string   `json:"product,omitempty"`      // "Windows 10 Pro"; 11 says so too
	Version       string   `json:"version,omitempty"`      // "10.0"
	Build         string   `json:"build,omitempty"`        // "22631.3155"
	Edition       string   `json:"edition,omitempty"`      // "Professional"
	Architecture  string   `json:"architecture,omitempty"` // as answer files spell it: "amd64", "x86", "arm64"
	ImageState    string   `json:"image-state,omitempty"`  // as Windows Setup calls it
	Generalized   bool     `json:"generalized"`            // sysprep made it ready for other machines, and it has not run since
	ComputerName  string   `json:"computer-name,omitempty"`
	DomainMember  bool     `json:"domain-member"`
	Domain        string   `json:"domain,omitempty"`
	TimeZone      string   `json:"timezone,omitempty"`       // as Windows calls it
	Languages     []string `json:"languages,omitempty"`      // of its interface: "de-DE"
	PendingReboot []string `json:"pending-reboot,omitempty"` // who waits for one
	Hibernated    bool     `json:"hibernated"`
	Dirty         []string `json:"dirty,omitempty"`         // hives that were not closed in order
	WiFiProfiles  []string `json:"wifi-profiles,omitempty"` // names of networks whose keys are stored
	BitLocker     []string `json:"bitlocker,omitempty"`     // signs that the machine will encrypt its disks
}

const currentVersion = `Microsoft\Windows NT\CurrentVersion`

// Files is what Inspect reads of a Windows; a *rootfs.Root is one. Names are
// slash-separated and spelled as Fold returns them.
type Files interface {
	// Fold returns a name as the tree spells it; the error is fs.ErrNotExist when
	// there is none such, whatever its case.
	Fold(name string) (string, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	// ReadFile returns the bytes of a regular file of at most limit bytes.
	ReadFile(name string, limit int64) ([]byte, error)
	// Peek returns the first n bytes of a regular file, fewer of one that is shorter.
	Peek(name string, n int64) ([]byte, error)
}

// Inspect reads what is known of the Windows in files. It changes nothing. The
// error is fs.ErrNotExist when there is no Windows.
func Inspect(files Files) (Info, error) {
	t := tree{files: files, hives: map[string]*openHive{}}
	var i Info
	for _, name := range []string{system, software} {
		h, err := t.open(name)
		if err != nil {
			return i, fmt.Errorf("look at the Windows: %w", err)
		}
		if h.Dirty() != nil {
			i.Dirty = append(i.Dirty, h.name)
		}
	}
	control, err := t.controlSet()
	if err != nil {
		return i, fmt.Errorf("look at the Windows: %w", err)
	}
	t.version(&i)
	i.Architecture = architecture(t.text(system, control+`\Control\Session Manager\Environment`, "PROCESSOR_ARCHITECTURE"))
	i.ImageState = t.imageState()
	i.Generalized = strings.HasPrefix(i.ImageState, "IMAGE_STATE_GENERALIZE_")
	i.ComputerName = t.text(system, control+`\Control\ComputerName\ComputerName`, "ComputerName")
	i.TimeZone = t.text(system, control+`\Control\TimeZoneInformation`, "TimeZoneKeyName")
	i.Languages = t.keys(system, control+`\Control\MUI\UILanguages`)
	i.DomainMember, i.Domain = t.domain(control)
	i.PendingReboot = t.pendingReboot(control)
	i.BitLocker = t.bitLocker(control)
	if i.Hibernated, err = t.hibernated(); err == nil {
		i.WiFiProfiles, err = t.wifi()
	}
	return i, err
}

func (t *tree) version(i *Info) {
	i.Product = t.text(software, currentVersion, "ProductName")
	i.Edition = t.text(software, currentVersion, "EditionID")
	i.Build = t.text(software, currentVersion, "CurrentBuildNumber")
	if n, ok := t.number(software, currentVersion, "UBR"); ok {
		i.Build += fmt.Sprintf(".%d", n)
	}
	i.Version = t.text(software, currentVersion, "CurrentVersion") // "6.3" for ever, since Windows 8.1
	major, ok := t.number(software, currentVersion, "CurrentMajorVersionNumber")
	if minor, ok2 := t.number(software, currentVersion, "CurrentMinorVersionNumber"); ok && ok2 {
		i.Version = fmt.Sprintf("%d.%d", major, minor)
	}
}

func (t *tree) number(name, key, value string) (uint64, bool) {
	h, err := t.open(name)
	if err != nil {
		return 0, false
	}
	v, err := h.Value(key, value)
	if err != nil {
		return 0, false
	}
	n, err := v.Uint()
	return n, err == nil
}

// keys are the names of the keys in a key.
func (t *tree) keys(name, key string) []string {
	h, err := t.open(name)
	if err != nil {
		return nil
	}
	k, err := h.Find(key)
	if err != nil {
		return nil
	}
	below, _ := k.Keys()
	var names []string
	for _, b := range below {
		names = append(names, b.Name())
	}
	return names
}

// architecture is what an answer file calls a processor.
func architecture(environment string) string {
	switch a := strings.ToLower(environment); a {
	case "amd64", "x86", "arm64":
		return a
	}
	return ""
}

// imageState is where Windows Setup stands. The registry has it, and a file too.
func (t *tree) imageState() string {
	if s := t.text(software, `Microsoft\Windows\CurrentVersion\Setup\State`, "ImageState"); s != "" {
		return s
	}
	data, _ := t.read("Windows/Setup/State/State.ini", 64<<10)
	for line := range strings.Lines(string(data)) {
		if key, value, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(key), "ImageState") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// domain: a member knows the SID of its domain, and its primary DNS suffix.
func (t *tree) domain(control string) (member bool, name string) {
	name = t.text(system, control+`\Services\Tcpip\Parameters`, "Domain")
	h, err := t.open(security)
	if err != nil {
		return name != "", name
	}
	sid, err := h.Value(`Policy\PolPrDmS`, "")
	if err != nil {
		return name != "", name
	}
	member = len(sid.Data) >= 12 && sid.Data[0] == 1 && int(sid.Data[1]) > 0 && len(sid.Data) >= 8+4*int(sid.Data[1])
	if n, err := h.Value(`Policy\PolPrDmN`, ""); member && name == "" && err == nil && len(n.Data) > 8 {
		text, _ := hive.Value{Type: hive.SZ, Data: n.Data[8:]}.Text() // behind the header of a UNICODE_STRING
		name = text
	}
	if !member {
		name = ""
	}
	return member, name
}

func (t *tree) pendingReboot(control string) []string {
	var who []string
	for _, p := range []struct{ key, who string }{
		{`Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`, "component servicing"},
		{`Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired`, "Windows Update"},
	} {
		if t.has(software, p.key) {
			who = append(who, p.who)
		}
	}
	if h, err := t.open(system); err == nil {
		if v, err := h.Value(control+`\Control\Session Manager`, "PendingFileRenameOperations"); err == nil && len(v.Data) > 4 {
			who = append(who, "files to be renamed")
		}
	}
	if _, err := t.files.Fold("Windows/WinSxS/pending.xml"); err == nil {
		who = append(who, "an update half done")
	}
	return who
}

func (t *tree) bitLocker(control string) []string {
	var signs []string
	if t.has(software, `Policies\Microsoft\FVE`) {
		signs = append(signs, "a policy about BitLocker")
	}
	if n, ok := t.number(system, control+`\Control\BitLocker`, "PreventDeviceEncryption"); ok && n == 0 {
		signs = append(signs, "device encryption is allowed")
	}
	return signs
}

// hibernated reports whether hiberfil.sys has something to go on with; see
// PO_MEMORY_IMAGE. The signature "HORM" is that of a machine that does so at every
// start.
func (t *tree) hibernated() (bool, error) {
	name, err := t.files.Fold("hiberfil.sys")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	magic, err := t.files.Peek(name, 4)
	if err != nil {
		return false, err
	}
	return slices.Contains([]string{"HIBR", "hibr", "HORM"}, string(magic)), nil
}

// Bounds of what is read of stored wireless networks.
const (
	maxWiFi     = 1000
	maxWiFiFile = 1 << 20
)

// wifi lists the networks that are stored for all users.
func (t *tree) wifi() ([]string, error) {
	dir, err := t.files.Fold("ProgramData/Microsoft/Wlansvc/Profiles/Interfaces")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	cards, err := t.files.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, card := range cards {
		profiles, _ := t.files.ReadDir(path.Join(dir, card.Name()))
		for _, p := range profiles {
			data, err := t.files.ReadFile(path.Join(dir, card.Name(), p.Name()), maxWiFiFile)
			if err != nil || len(names) >= maxWiFi {
				continue
			}
			var stored struct {
				Name string `xml:"name"`
			}
			if xml.Unmarshal(utf8Of(data), &stored) == nil && stored.Name != "" {
				names = append(names, stored.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// utf8Of converts UTF-16LE that begins with its mark.
func utf8Of(data []byte) []byte {
	if len(data) < 2 || data[0] != 0xFF || data[1] != 0xFE {
		return data
	}
	u := make([]uint16, len(data)/2-1)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(data[2+2*i:])
	}
	return []byte(string(utf16.Decode(u)))
}
