package windows

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

var day = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

const (
	generalized = "IMAGE_STATE_GENERALIZE_RESEAL_TO_OOBE"
	complete    = "IMAGE_STATE_COMPLETE"
)

// put is a value in a hive under construction; "" as its key's value makes the key.
type put struct {
	key   string
	value hive.Value
}

func hiveFile(t testing.TB, minor int, sets ...put) []byte {
	t.Helper()
	h, err := hive.New(minor, "ROOT", day)
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Edit(day)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		if err := e.Set(s.key, s.value); err != nil {
			t.Fatal(err)
		}
	}
	data, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func systemHive(t testing.TB, more ...put) []byte {
	const control = `ControlSet002\Control`
	return hiveFile(t, 5, append([]put{
		{`Select`, hive.Number("Current", 2)},
		{`ControlSet001\Control\ComputerName\ComputerName`, hive.String("ComputerName", "NOT-IN-USE")},
		{control + `\ComputerName\ComputerName`, hive.String("ComputerName", "REFERENCE")},
		{control + `\Session Manager\Environment`, hive.String("PROCESSOR_ARCHITECTURE", "AMD64")},
		{control + `\TimeZoneInformation`, hive.String("TimeZoneKeyName", "Pacific Standard Time")},
		{control + `\MUI\UILanguages\en-US`, hive.Number("Type", 0x91)},
		{`ControlSet002\Services\Tcpip\Parameters`, hive.String("Hostname", "Reference")},
		{`ControlSet002\Services\Tcpip\Parameters`, hive.String("NV Hostname", "Reference")},
		{`Setup`, hive.Number("OOBEInProgress", 0)},
	}, more...)...)
}

func softwareHive(t testing.TB, state string, more ...put) []byte {
	tzi := append([]byte("\xc4\xff\xff\xff\x00\x00\x00\x00\xc4\xff\xff\xff"), bytes.Repeat([]byte{7, 0}, 16)...)
	return hiveFile(t, 5, append([]put{
		{currentVersion, hive.String("ProductName", "Windows 10 Pro")},
		{currentVersion, hive.String("EditionID", "Professional")},
		{currentVersion, hive.String("CurrentVersion", "6.3")},
		{currentVersion, hive.Number("CurrentMajorVersionNumber", 10)},
		{currentVersion, hive.Number("CurrentMinorVersionNumber", 0)},
		{currentVersion, hive.String("CurrentBuildNumber", "22631")},
		{currentVersion, hive.Number("UBR", 3155)},
		{currentVersion + `\Time Zones\W. Europe Standard Time`, hive.Bytes("TZI", tzi)},
		{currentVersion + `\Time Zones\W. Europe Standard Time`, hive.String("MUI_Std", "@tzres.dll,-322")},
		{currentVersion + `\Winlogon`, hive.String("DefaultDomainName", "REFERENCE")},
		{`Microsoft\Windows\CurrentVersion`, hive.ExpandString("DevicePath", `%SystemRoot%\inf;C:\old`)},
		{`Microsoft\Windows\CurrentVersion\Setup\State`, hive.String("ImageState", state)},
	}, more...)...)
}

// build is what makes a tree: names to contents.
type build map[string][]byte

// believable is a Windows as far as this package looks, spelled as someone might.
func believable(t testing.TB, state string) build {
	return build{
		"Windows/System32/config/SYSTEM":   systemHive(t),
		"Windows/System32/config/SOFTWARE": softwareHive(t, state),
		"Windows/System32/config/SECURITY": hiveFile(t, 5, put{`Policy\PolPrDmS`, hive.Value{Data: make([]byte, 4)}}),
		"Windows/explorer.exe":             []byte("MZ"),
		"Windows/Panther/setupact.log":     []byte("log"),
		"Users/Default/NTUSER.DAT":         []byte("left alone"),
		"ProgramData/Microsoft/x":          []byte("x"),
	}
}

func (b build) in(t testing.TB, dir string) *rootfs.Root {
	t.Helper()
	for name, data := range b {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// root makes the tree in a folder.
func (b build) root(t testing.TB) *rootfs.Root { return b.in(t, t.TempDir()) }

// onNTFS makes the tree on an NTFS volume, mounted as package mount does.
func (b build) onNTFS(t *testing.T) *rootfs.Root {
	t.Helper()
	image := volumetest.Mkfs(t, 64<<20, "mkntfs", "-q", "-F", "-f", "{}")
	dir, _ := volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach,streams_interface=windows,efs_raw,noatime,no_def_opts,allow_other,silent", image)
	return b.in(t, dir)
}

func job(s *profile.Settings) customise.Job {
	return customise.Job{Settings: s, Rand: rand.Reader, Started: "a test"}
}

func apply(t testing.TB, root *rootfs.Root, j customise.Job) *customise.Report {
	t.Helper()
	r, err := Apply(context.Background(), root, j)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// digest is every file below root with a sum of its content.
func digest(t testing.TB, root *rootfs.Root) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		all[strings.TrimPrefix(path, root.Dir())] = hex.EncodeToString(sum[:8])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// onlyReported checks that what is different is what the report says.
func onlyReported(t *testing.T, before, after map[string]string, r *customise.Report) {
	t.Helper()
	covered := func(name string) bool {
		for _, c := range r.Changed {
			if name == c || strings.HasPrefix(name, c+"/") {
				return true
			}
		}
		return false
	}
	for name := range after {
		if before[name] != after[name] && !covered(name) {
			t.Errorf("%s changed and is not reported", name)
		}
	}
	for name := range before {
		if after[name] == "" && !covered(name) {
			t.Errorf("%s is gone and not reported", name)
		}
	}
}

// reg is a value of text, a number or bytes as hivexget shows it.
func reg(t testing.TB, root *rootfs.Root, name, key, value string) string {
	t.Helper()
	data, err := root.ReadFile(name, hive.MaxSize)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "hive")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{path, `\` + key, value}
	if value == "" {
		args[2] = "@"
	}
	var out bytes.Buffer
	if _, err := (tool.Command{Name: "hivexget", Args: args, Out: &out}).Run(t.Context()); err != nil {
		return "missing"
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func file(t testing.TB, root *rootfs.Root, name string) string {
	t.Helper()
	data, err := root.ReadFile(name, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func anyHas(lines []string, part string) bool {
	return strings.Contains(fmt.Sprint(lines), part)
}
