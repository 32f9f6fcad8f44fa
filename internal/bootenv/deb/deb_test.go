package deb

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestOpen reads what dpkg-deb makes, in every compression.
func TestOpen(t *testing.T) {
	for _, compression := range []string{"none", "gzip", "xz", "zstd"} {
		root := filepath.Join(t.TempDir(), "root")
		control := "Package: sample\nVersion: 1:2.0-3\nArchitecture: all\nMaintainer: nobody <n@example.org>\n" +
			"Pre-Depends: libc6 (>= 2.36)\nDepends: liba (>= 1), libb:any | libc,\n libd\nDescription: sample\n several lines\n"
		write(t, filepath.Join(root, "DEBIAN/control"), control)
		write(t, filepath.Join(root, "usr/bin/tool"), strings.Repeat("tool ", 10_000))
		write(t, filepath.Join(root, "usr/share/a name/empty"), "")
		os.Link(filepath.Join(root, "usr/bin/tool"), filepath.Join(root, "usr/bin/same"))
		os.Symlink("tool", filepath.Join(root, "usr/bin/link"))
		name := filepath.Join(t.TempDir(), "sample.deb")
		if out, err := exec.Command("dpkg-deb", "--root-owner-group", "-Z"+compression, "--build", root, name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		p, err := Open(name, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if got := fmt.Sprint(p.Info.Name, " ", p.Info.Version, " ", p.Info.Depends); got != "sample 1:2.0-3 [[libc6] [liba] [libb libc] [libd]]" {
			t.Error(got)
		}
		for _, tool := range []string{"usr/bin/tool", "usr/bin/same"} {
			if b, err := io.ReadAll(p.Content(p.Lookup(tool))); err != nil || string(b) != strings.Repeat("tool ", 10_000) {
				t.Errorf("%s: %s holds %d bytes, %v", compression, tool, len(b), err)
			}
		}
		if e := p.Lookup("usr/bin/link"); e == nil || e.Link != "tool" {
			t.Errorf("%s: %+v", compression, e)
		}
		if e := p.Lookup("usr/share/a name/empty"); e == nil || e.Size != 0 || !e.Mode.IsRegular() {
			t.Errorf("%s: %+v", compression, e)
		}
		if p.Built.IsZero() || time.Since(p.Built) < 0 {
			t.Errorf("it was built at %v", p.Built)
		}
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// archive is an ar archive with members in order: name, content, name, content ...
func archive(members ...string) []byte {
	b := bytes.NewBufferString(arMagic)
	for i := 0; i < len(members); i += 2 {
		fmt.Fprintf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", members[i], 0, 0, 0, "100644", len(members[i+1]))
		b.WriteString(members[i+1])
		if len(members[i+1])%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// pack is a tar of headers; regular files hold their own names, unless Size says
// otherwise.
func pack(headers ...tar.Header) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := ""
		if h.Typeflag == tar.TypeReg && h.Size == 0 {
			content = h.Name
			h.Size = int64(len(content))
		}
		h.Mode = 0o644
		w.WriteHeader(&h)
		io.WriteString(w, content)
	}
	w.Flush()
	return b.String() + strings.Repeat("\x00", 1024)
}

func sample(data string) []byte {
	var control bytes.Buffer
	w := tar.NewWriter(&control)
	text := "Package: a\nVersion: 1\nArchitecture: amd64\n"
	w.WriteHeader(&tar.Header{Name: "./control", Size: int64(len(text)), Typeflag: tar.TypeReg})
	io.WriteString(w, text)
	w.Close()
	return archive("debian-binary", "2.0\n", "control.tar", control.String(), "data.tar", data)
}

func openBytes(t testing.TB, b []byte) error {
	name := filepath.Join(t.TempDir(), "a.deb")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Open(name, t.TempDir())
	if err == nil {
		p.Close()
	}
	return err
}

func TestHostile(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	link := func(name, to string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
	}
	if err := openBytes(t, sample(pack(file("./a/b"), link("./l", "../../../etc/passwd")))); err != nil {
		t.Fatalf("a package in order is refused: %v", err)
	}
	for why, b := range map[string][]byte{
		"leads out":          sample(pack(file("../evil"))),
		"leads out in it":    sample(pack(file("a/../../evil"))),
		"absolute":           sample(pack(file("/etc/passwd"))),
		"line feed":          sample(pack(file("a\nb"))),
		"through a link":     sample(pack(link("a", "/etc"), file("a/passwd"))),
		"through a deep one": sample(pack(link("a", "/etc"), file("a/b/c/passwd"))),
		"below a file":       sample(pack(file("a"), file("a/b"))),
		"twice":              sample(pack(file("a"), file("./a"))),
		"file for a link":    sample(pack(link("a", "b"), file("a"))),
		"link to nothing":    sample(pack(link("a", ""))),
		"second name first":  sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "b"}, file("b"))),
		"second name out":    sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../../etc/passwd"})),
		"device":             sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeBlock, Devmajor: 8})),
		"pipe":               sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeFifo})),
		"huge":               sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 5 << 30})),
		"cut off":            sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeReg, Size: 5 << 20})),
		"no tar":             sample(strings.Repeat("x", 4096)),
		"no members":         archive(),
		"other version":      archive("debian-binary", "3.0\n"),
		"nothing first":      archive("data.tar", ""),
		"no control":         archive("debian-binary", "2.0\n", "control.tar", pack(), "data.tar", pack()),
		"unknown packing":    archive("debian-binary", "2.0\n", "control.tar.lzma", ""),
		"xz of 4 GiB memory": archive("debian-binary", "2.0\n", "control.tar.xz", "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x28"),
		"longer than it is":  []byte(arMagic + fmt.Sprintf("%-16s%-32s%-10d`\n", "debian-binary", "", 1<<40)),
		"negative":           []byte(arMagic + fmt.Sprintf("%-16s%-32s%-10d`\n", "debian-binary", "", -2)),
		"empty":              nil,
	} {
		if err := openBytes(t, b); err == nil {
			t.Errorf("%s: it was read", why)
		} else if strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestParseInfo(t *testing.T) {
	for _, bad := range []string{
		"Package: a\n", "Version: 1\n", "no field\n", "Package: a b\nVersion: 1\nArchitecture: all\n",
		"Package: ../a\nVersion: 1\nArchitecture: all\n", "Package: -o\nVersion: 1\nArchitecture: all\n",
		"Package: a\nVersion: 1\nArchitecture: all\nSize: x\n", "Package: a\nVersion: 1/2\nArchitecture: all\n",
	} {
		if got, err := ParseInfo(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: %+v", bad, got)
		}
	}
	two := "Package: a\nVersion: 1\nArchitecture: all\n\n\nPackage: b\nVersion: 2:1~x\nArchitecture: amd64\nSize: 7\n"
	got, err := ParseInfo(strings.NewReader(two))
	if err != nil || len(got) != 2 || got[1].Size != 7 || got[1].FileName() != "b_2%3a1~x_amd64.deb" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestCompareVersions has dpkg judge.
func TestCompareVersions(t *testing.T) {
	versions := []string{"1", "1.0", "1.0-1", "1:0.1", "1.0~rc1", "1.0~rc1-2", "1.0-1+deb12u1", "1.0-1+b1", "2", "10", "1.0a", "1.0+", "0", "1.0-0", "6.1.176-1", "6.1.192-2", "1.0.0-01"}
	for _, a := range versions {
		for _, b := range versions {
			want := 0
			if exec.Command("dpkg", "--compare-versions", a, "lt", b).Run() == nil {
				want = -1
			} else if exec.Command("dpkg", "--compare-versions", a, "gt", b).Run() == nil {
				want = 1
			}
			if got := CompareVersions(a, b); got != want {
				t.Errorf("%s to %s is %d, want %d", a, b, got, want)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(sample(pack(tar.Header{Name: "a", Typeflag: tar.TypeReg}, tar.Header{Name: "b", Typeflag: tar.TypeSymlink, Linkname: "a"})))
	f.Add(archive("debian-binary", "2.0\n", "control.tar.xz", "\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16"))
	f.Add(archive("debian-binary", "2.0\n", "control.tar.zst", "\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, b []byte) { _ = openBytes(t, b) })
}

func FuzzParseInfo(f *testing.F) {
	f.Add("Package: a\nVersion: 1\nArchitecture: all\nDepends: a (>= 1) | b, c:any\n d\n")
	f.Fuzz(func(t *testing.T, text string) {
		infos, err := ParseInfo(strings.NewReader(text))
		for _, i := range infos {
			if err == nil && (strings.ContainsAny(i.FileName(), "/ \n") || i.Size < 0) {
				t.Errorf("%q", i.FileName())
			}
			CompareVersions(i.Version, "1.0-1")
		}
	})
}
