package agent

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestMain makes the test program a pretended ingot when it is told to be one.
func TestMain(m *testing.M) {
	if os.Getenv("INGOT_PRETEND") != "" {
		pretend(os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// pretend is a command with the manners of ingot, good and bad ones. What it does is
// said by the image's name.
func pretend(args []string) {
	if args[0] == "disks" {
		fmt.Println(`[{"path": "/dev/vda", "model": "pretended", "serial": "S1", "transport": "virtio", "bytes": 1073741824, "sectorSize": 512,
			"table": "gpt", "volumes": [{"kind": "ntfs", "label": "Windows"}, {"kind": "fat32"}]}]`)
		return
	}
	if args[0] == "busy" {
		d, _ := time.ParseDuration(args[1])
		for begin := time.Now(); time.Since(begin) < d; {
		}
		return
	}
	if args[0] == "lint" {
		pretendLint(os.Getenv("INGOT_PRETEND_LINT"))
		return
	}
	if args[0] == "images" {
		fmt.Println("lab-pc:v1   12 GiB")
		return
	}
	if slices.Contains(args, "--dry-run") {
		fmt.Println("the plan")
		return
	}
	image := args[1]
	if args[0] == "capture" {
		image = args[2]
	}
	fmt.Fprintln(os.Stderr, `{"progress": {"phase": "deploy", "done": 5, "total": 10, "left": 1}}`)
	fail := func(code int, document string) {
		fmt.Println(document)
		os.Exit(code)
	}
	switch image {
	case "done":
		fmt.Fprintln(os.Stderr, `{"log": "all is well"}`)
		work(100 * time.Millisecond)
		fmt.Fprintln(os.Stderr, `{"time": {"total": 900, "network": 0.01, "disk": 0.03, "cpu": 900}}`)
		fmt.Fprintln(os.Stderr, `{"time": {"network": 0.02, "disk": -7}}`)
		fmt.Printf(`{"what": "x", "seconds": 2, "id": "abc", "name": "n:v1", "token": %q}`, os.Getenv("INGOT_TOKEN"))
	case "silent":
		fmt.Fprintln(os.Stderr, `{"time": {"network": 1e308, "disk": 1e308}}`)
	case "failed":
		fail(1, `{"error": "it broke", "exitCode": 1, "hints": ["mend it"], "target": "unfinished"}`)
	case "later":
		time.Sleep(time.Second)
		fail(1, `{"error": "it broke", "exitCode": 1, "hints": ["mend it"], "target": "unfinished"}`)
	case "unreachable":
		fail(1, `{"error": "the server is gone", "exitCode": 1, "retry": true, "target": "unfinished"}`)
	case "usage":
		fail(2, `{"error": "no such flag", "exitCode": 2}`)
	case "refused":
		fail(3, `{"error": "not on this disk", "exitCode": 3}`)
	case "integrity":
		fail(4, `{"error": "a chunk is damaged", "exitCode": 4, "target": "unfinished"}`)
	case "missing":
		fail(5, `{"error": "no such image", "exitCode": 5}`)
	case "unreadable":
		fail(6, `{"id": "abc", "name": "n:v1", "unreadableBytes": 4096, "seconds": 1}`)
	case "panic":
		panic("a mistake")
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "flood":
		line := strings.Repeat("x", 5000) + "\x1b[31m\n"
		for range 2000 {
			fmt.Fprint(os.Stderr, line)
			fmt.Print(line)
		}
	case "slow":
		signals := make(chan os.Signal, 1)
		notify(signals)
		select {
		case <-signals:
			fail(130, `{"error": "interrupted", "exitCode": 130, "target": "unfinished"}`)
		case <-time.After(time.Minute):
		}
	case "deaf":
		ignore()
		time.Sleep(time.Minute)
	}
}

// work has another program use a processor for a time.
func work(d time.Duration) {
	c := exec.Command("/proc/self/exe", "busy", d.String())
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		panic(err)
	}
}

// pretended is a child that pretends.
func pretended() child {
	return child{program: []string{"/proc/self/exe"}, env: []string{"INGOT_PRETEND=1", "INGOT_TOKEN=secret"}, grace: time.Second}
}

func TestEnds(t *testing.T) {
	for _, c := range []struct {
		kind    wire.Kind
		image   string
		outcome wire.Outcome
		exit    int
		target  wire.TargetState
		retry   bool
		says    string
	}{
		{wire.Deploy, "done", wire.Done, 0, wire.Complete, false, ""},
		{wire.Wipe, "done", wire.Done, 0, wire.Complete, false, ""},
		{wire.Capture, "done", wire.Done, 0, wire.Untouched, false, ""},
		{wire.Verify, "done", wire.Done, 0, wire.Untouched, false, ""},
		{wire.Deploy, "silent", wire.Failed, 0, wire.Unfinished, false, "did not say what it did"},
		{wire.Deploy, "failed", wire.Failed, 1, wire.Unfinished, false, "it broke"},
		{wire.Deploy, "unreachable", wire.Failed, 1, wire.Unfinished, true, "the server is gone"},
		{wire.Deploy, "usage", wire.Failed, 2, wire.Untouched, false, "no such flag"},
		{wire.Deploy, "refused", wire.Failed, 3, wire.Untouched, false, "not on this disk"},
		{wire.Deploy, "integrity", wire.Failed, 4, wire.Unfinished, false, "damaged"},
		{wire.Verify, "integrity", wire.Failed, 4, wire.Untouched, false, "damaged"},
		{wire.Deploy, "missing", wire.Failed, 5, wire.Untouched, false, "no such image"},
		{wire.Capture, "unreadable", wire.Failed, 6, wire.Untouched, false, "4096 bytes of the disk could not be read"},
		{wire.Deploy, "panic", wire.Failed, 2, wire.Unfinished, false, "ended with code 2"},
		{wire.Deploy, "killed", wire.Failed, -1, wire.Unfinished, false, "too little memory"},
		{wire.Deploy, "flood", wire.Failed, 0, wire.Unfinished, false, "did not say"},
	} {
		args := []string{string(c.kind), c.image}
		if c.kind == wire.Capture {
			args = []string{"capture", "/dev/vda", c.image}
		}
		lines, steps, began := 0, 0, time.Now()
		e := pretended().run(t.Context(), args, func(wire.Progress) { steps++ }, func(line string) {
			lines++
			if len(line) > maxLine+3 || strings.ContainsRune(line, '\x1b') {
				t.Errorf("%s: a line of %d bytes", c.image, len(line))
			}
		})
		r := judge(c.kind, e)
		if r.Outcome != c.outcome || r.Exit != c.exit || r.Target != c.target || r.Retry != c.retry || !strings.Contains(r.Error, c.says) || (r.Error == "") != (c.outcome == wire.Done) {
			t.Errorf("%s %s: %+v", c.kind, c.image, r)
		}
		if steps != 1 || c.image == "done" && lines != 1 {
			t.Errorf("%s: %d steps, %d lines", c.image, steps, lines)
		}
		if took := time.Since(began).Seconds(); r.Time.Total <= 0 || r.Time.Total > took || r.Time.CPU <= 0 || max(r.Time.Network, r.Time.Disk) > r.Time.Total {
			t.Errorf("%s took %v s: %+v", c.image, took, r.Time)
		}
		if c.image == "done" && (r.Time.Network != 0.03 || r.Time.Disk != 0.03 || r.Time.CPU < 0.03 || r.Time.CPU > 100 || !bytes.Contains(r.Detail, []byte("secret"))) {
			t.Errorf("%+v", r)
		}
		if c.kind == wire.Capture && (r.Name != "n:v1" || r.Image != "abc") {
			t.Errorf("%+v", r)
		}
	}
}

func TestStop(t *testing.T) {
	for _, image := range []string{"slow", "deaf"} {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		e := pretended().run(ctx, []string{"deploy", image}, func(wire.Progress) { cancel() }, func(string) {})
		r := judge(wire.Deploy, e)
		if e.code != wire.ExitInterrupted || r.Target != wire.Unfinished || time.Since(began) > 10*time.Second {
			t.Errorf("%s: %+v, %+v after %v", image, e, r, time.Since(began))
		}
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		job  wire.Job
		want string
	}{
		{wire.Job{Kind: wire.Deploy, Image: "i"}, "deploy i /dev/sda --yes --store https://s --json --progress json"},
		{
			wire.Job{Kind: wire.Deploy, Image: "i", Deploy: &wire.DeployOptions{
				Hostname: "lab 7", Counter: 7, Values: map[string]string{"b": "2", "a": "1"}, Machines: 30, Grow: "auto",
				FileSystems: map[string]string{"root": "xfs"}, Free: "zero", Full: true, Readback: true, NewIDs: true,
			}},
			"deploy i /dev/sda --yes --store https://s --json --progress json --profile p --hostname lab 7 --counter 7 --machines 30 --set a=1 --set b=2 --grow auto --fs root=xfs --free zero --full --readback --new-ids",
		},
		{wire.Job{Kind: wire.Capture, Image: "n:v2", Capture: &wire.CaptureOptions{Files: true, Exclude: []string{"*.iso"}}}, "capture /dev/sda n:v2 --store https://s --json --progress json --files --exclude *.iso"},
		{wire.Job{Kind: wire.Verify, Image: "i"}, "compare i /dev/sda --store https://s --json --progress json"},
		{wire.Job{Kind: wire.Wipe, Wipe: wire.WipeOverwrite}, "wipe /dev/sda --yes --method overwrite --json --progress json"},
		{wire.Job{Kind: wire.Wipe}, ""},
		{wire.Job{Kind: "dance"}, ""},
	} {
		c.job.Token = "secret"
		profile := ""
		if c.job.Deploy != nil {
			profile = "p"
		}
		args, err := arguments(c.job, "https://s", "/dev/sda", profile)
		if got := strings.Join(args, " "); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}

func TestPickDisk(t *testing.T) {
	ssd := wire.Disk{Path: "/dev/nvme0n1", Serial: "N1", Size: 500, Transport: "nvme"}
	hdd := wire.Disk{Path: "/dev/sda", Serial: "H1", WWN: "naa.5", Size: 2000, Transport: "sata"}
	twin := wire.Disk{Path: "/dev/sdb", Serial: "H2", Size: 2000, Transport: "sata"}
	stick := wire.Disk{Path: "/dev/sdc", Serial: "U1", Size: 100, Transport: "usb"}
	card := wire.Disk{Path: "/dev/mmcblk0", Size: 64, Transport: "mmc", Removable: true}
	for _, c := range []struct {
		want  string
		disks []wire.Disk
		path  string
	}{
		{"", []wire.Disk{ssd, stick, card}, ssd.Path},
		{"", []wire.Disk{ssd, hdd}, ""},
		{"", []wire.Disk{stick}, ""},
		{"", nil, ""},
		{"largest", []wire.Disk{ssd, hdd, stick}, hdd.Path},
		{"smallest", []wire.Disk{ssd, hdd, stick}, ssd.Path},
		{"largest", []wire.Disk{ssd, hdd, twin}, ""},
		{"/dev/sdc", []wire.Disk{ssd, stick}, stick.Path},
		{"h2", []wire.Disk{hdd, twin}, twin.Path},
		{"naa.5", []wire.Disk{hdd, twin}, hdd.Path},
		{"X", []wire.Disk{hdd}, ""},
		{"", []wire.Disk{{Path: "/dev/vda", ReadOnly: true}}, ""},
	} {
		d, err := pickDisk(c.want, c.disks)
		if d.Path != c.path || (err != nil) != (c.path == "") {
			t.Errorf("%q of %v: %v, %v", c.want, c.disks, d.Path, err)
		}
	}
}

// TestUnreadableDisks: no job is done, and none takes a machine for one without disks,
// when the disks cannot be listed.
func TestUnreadableDisks(t *testing.T) {
	a := New(Options{Program: []string{"/bin/false"}, Root: fakeMachine(), Work: t.TempDir(), Host: &fakeHost{}})
	for _, kind := range []wire.Kind{wire.Look, wire.Deploy} {
		r := a.job(t.Context(), t.Context(), wire.Job{ID: "j", Attempt: 1, Kind: kind}, "")
		if r.Outcome != wire.Failed || !r.Retry || r.Exit != wire.ExitFailed || r.Target != wire.Untouched || !strings.Contains(r.Error, "list the disks") {
			t.Errorf("%s: %+v", kind, r)
		}
	}
}

// TestRenumbered has a disk without a serial number, whose path a stick has now.
func TestRenumbered(t *testing.T) {
	stick := wire.Disk{Path: "/dev/sda", Size: 32e9, Transport: "usb"}
	d, err := pickDisk("/dev/sda", []wire.Disk{stick, {Path: "/dev/sdb", Size: 500e9, Transport: "sata"}})
	if err != nil || isPlanned(d, 500e9) == nil {
		t.Errorf("a job for another disk takes the stick: %v, %v", d, err)
	}
	if err := errors.Join(isPlanned(d, 32e9), isPlanned(d, 0)); err != nil {
		t.Error(err)
	}
	if d, err := pickDisk("WD 1 2", []wire.Disk{{Path: "/dev/sda", Serial: "WD 1   2"}}); err != nil || d.Path == "" {
		t.Errorf("a serial number as servers keep it: %v", err)
	}
}

func TestUnpack(t *testing.T) {
	archive := func(headers ...tar.Header) *bytes.Buffer {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range headers {
			h.Mode = 0o644
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			_, _ = w.Write(make([]byte, h.Size))
		}
		w.Close()
		return &b
	}
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Size: 3} }
	dir := t.TempDir()
	if err := unpack(archive(tar.Header{Name: "a/", Typeflag: tar.TypeDir}, file("profile.yaml"), file("./drivers/x/y.inf")), dir); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "drivers/x/y.inf")); err != nil || len(b) != 3 {
		t.Error(err)
	}
	for name, bad := range map[string]*bytes.Buffer{
		"out":      archive(file("../evil")),
		"absolute": archive(file("/etc/passwd")),
		"link":     archive(tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/"}),
		"device":   archive(tar.Header{Name: "d", Typeflag: tar.TypeBlock}),
		"rubbish":  bytes.NewBufferString(strings.Repeat("rubbish ", 200)),
	} {
		if err := unpack(bad, t.TempDir()); !errors.Is(err, errArchive) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cut := archive(file("a"))
	cut.Truncate(513)
	if err := unpack(cut, t.TempDir()); err == nil || errors.Is(err, errArchive) {
		t.Errorf("a connection that was cut: %v", err)
	}
}

func TestHealth(t *testing.T) {
	for document, want := range map[string]string{
		`{"smart_status": {"passed": true}}`:  "ok",
		`{"smart_status": {"passed": false}}`: "failing: the disk expects",
		`{"smart_status": {"passed": true}, "nvme_smart_health_information_log": {"critical_warning": 4, "percentage_used": 101}}`: "failing: the disk warns",
		`{"messages": []}`: "",
		``:                 "",
	} {
		if got := health([]byte(document)); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q", document, got)
		}
	}
}

func FuzzHear(f *testing.F) {
	f.Add(`{"progress": {"done": 1}}`)
	f.Add(`{"log": "x\u0007"}`)
	f.Add(`{"time": {"network": -1, "disk": 1e300}}`)
	f.Add("\xff\x00")
	f.Fuzz(func(t *testing.T, text string) {
		listen(strings.NewReader(text), ears{progress: func(p wire.Progress) {
			if p.Done < 0 || p.Left < -1 {
				t.Errorf("%+v", p)
			}
		}, log: func(line string) {
			if line == "" || len(line) > maxLine+3 || strings.ContainsAny(line, "\n\r\x1b\x00") {
				t.Errorf("%q", line)
			}
		}, time: func(spent wire.Time) {
			if spent.Network < 0 || spent.Disk < 0 {
				t.Errorf("%+v", spent)
			}
		}})
	})
}
