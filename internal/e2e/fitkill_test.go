package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// killCase is a deploy that changes the second partition of a small disk on the way.
type killCase struct {
	name    string
	mkfs    []string // "{}" stands for the partition's image file
	size    int64    // of the partition, bytes
	target  int64    // bytes
	capture []string // options
	deploy  []string
	changed []string // names that are not the same after each run
	written []string // names that are written anew by each run
	mount   func(t testing.TB, disk string) (dir string, unmount func())
}

func killCases() []killCase {
	return []killCase{
		{name: "shrink-ext4", mkfs: []string{"mkfs.ext4", "-q", "-F", "{}"}, size: 200 * mib, target: 120 * mib, mount: mountSecond("ro")},
		{name: "grow-btrfs", mkfs: []string{"mkfs.btrfs", "-q", "{}"}, size: 200 * mib, target: 300 * mib, mount: mountSecond("ro")},
		{name: "rebuild-xfs", mkfs: []string{"mkfs.xfs", "-q", "{}"}, size: 500 * mib, target: 400 * mib, mount: mountSecond("ro", "nouuid")},
		{name: "customise-ext4", mkfs: []string{"mkfs.ext4", "-q", "-F", "{}"}, size: 100 * mib, target: 160 * mib, mount: mountSecond("ro"),
			deploy:  []string{"--hostname", "killed-pc"},
			changed: []string{"/etc/machine-id", "/var/lib/systemd/random-seed"},
			written: []string{"/etc/hostname", "/etc/hosts"}},
		{name: "files-ntfs", mkfs: []string{"mkfs.ntfs", "-Q", "-q", "-F", "{}"}, size: 160 * mib, target: 220 * mib, mount: mountSecondNTFS,
			capture: []string{"--files", "--include-all"}},
	}
}

func mountSecond(options ...string) func(testing.TB, string) (string, func()) {
	return func(t testing.TB, disk string) (string, func()) { return mountPart(t, disk, 2, options...) }
}

// mountSecondNTFS shows a copy of the second partition.
func mountSecondNTFS(t testing.TB, disk string) (dir string, unmount func()) {
	p := partitions(t, disk)[2]
	return mountNTFS(t, cut(t, disk, p))
}

// TestFitKilled ends the program in the midst of fitting and customising, by
// SIGKILL and by SIGINT, when it says that it begins something and at random
// moments. The target is then as it was, or says that it is unfinished; nothing of
// the program is left but empty folders, and the next run comes to the right end.
func TestFitKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the program a hundred times")
	}
	rounds := 3
	if os.Getenv("INGOT_FIT") == "full" {
		rounds = 30
	}
	ingot := newProgram(t)
	for i, c := range killCases() {
		t.Run(c.name, func(t *testing.T) {
			k := &killed{killCase: c, ingot: ingot, dir: t.TempDir(), rng: rand.New(rand.NewPCG(uint64(i), 9))}
			k.begin(t)
			for n, phase := range k.phases {
				k.round(t, cutShort{at: phase, by: signals[n%2]})
			}
			for n := range rounds {
				k.round(t, cutShort{after: time.Duration(k.rng.Int64N(int64(k.took))), by: signals[n%2]})
			}
			k.ingot.run(t, "check", "--read-data")
		})
	}
}

// signals that end the program.
var signals = []syscall.Signal{syscall.SIGKILL, syscall.SIGINT}

// cutShort is a moment in a run, and what happens then.
type cutShort struct {
	at    string        // when stderr holds this
	after time.Duration // after the start, if at is ""
	by    syscall.Signal
}

func (c cutShort) String() string {
	if c.at == "" {
		return fmt.Sprintf("%v after %v", c.by, c.after)
	}
	return fmt.Sprintf("%v at %q", c.by, c.at)
}

// killed is a case that is run again and again.
type killed struct {
	killCase
	ingot  program
	rng    *rand.Rand
	dir    string // of the target and of what is changed
	tree   map[string]string
	phases []string      // what the program says when it begins something
	took   time.Duration // undisturbed
	runs   int
}

func (k *killed) scratch() string { return filepath.Join(k.dir, "scratch") }
func (k *killed) target() string  { return filepath.Join(k.dir, "target.img") }
func (k *killed) before() string  { return filepath.Join(k.dir, "before.img") }

func (k *killed) args() []string {
	return append([]string{"deploy", k.name, k.target(), "--yes", "--scratch", k.scratch()}, k.killCase.deploy...)
}

// begin captures the disk, and deploys it undisturbed.
func (k *killed) begin(t *testing.T) {
	must(t, os.Mkdir(k.scratch(), 0o700))
	k.ingot.run(t, append([]string{"capture", k.source(t), k.name, "--quiet"}, k.capture...)...)
	must(t, os.WriteFile(k.before(), random(k.rng, 3*mib), 0o600))
	must(t, os.Truncate(k.before(), k.killCase.target))
	began := time.Now()
	said := k.finish(t)
	k.took = time.Since(began)
	for line := range strings.Lines(said) {
		doing, _, _ := strings.Cut(line, " ")
		if strings.HasSuffix(doing, "ing") && doing == strings.ToLower(doing) || strings.Contains(line, ": started") {
			k.phases = append(k.phases, strings.TrimSpace(line))
		}
	}
	k.tree = k.result(t)
	t.Logf("undisturbed it takes %v: %q", k.took, k.phases)
}

// source makes the disk: a FAT, and the volume with files and, if it is to be made
// a machine's own, something like a system.
func (k *killed) source(t *testing.T) string {
	fat, volume := blankFile(t, 8*mib), blankFile(t, k.size)
	volumetest.Tool(t, "mkfs.fat", "-F", "16", "-s", "1", fat)
	tool(k.mkfs[0], k.mkfs[1:]...)(t, volume)
	mount := func() (string, func()) { return mountStretch(t, volume, 0, 0) }
	if k.mkfs[0] == "mkfs.ntfs" {
		mount = func() (string, func()) { return mountNTFS(t, volume) }
	}
	dir, unmount := mount()
	for range 3 {
		plant(t, dir, k.rng, k.mkfs[0] != "mkfs.ntfs")
	}
	if k.killCase.deploy != nil {
		plantSystem(t, dir)
	}
	unmount()
	return assemble(t, k.size+10*mib, 512, "label: gpt\nstart=1MiB, size=8MiB, type=uefi\nstart=9MiB, size="+fmt.Sprint(k.size/mib)+"MiB\n",
		map[int64]string{1 * mib: fat, 9 * mib: volume})
}

// plantSystem makes the least that is a Linux which can be made a machine's own.
// Nothing starts it.
func plantSystem(t testing.TB, dir string) {
	for name, text := range map[string]string{
		"usr/lib/os-release": "ID=debian\nNAME=Debian\n", "etc/hostname": "source\n", "etc/hosts": "127.0.1.1 source\n", "etc/fstab": "",
		"etc/machine-id": strings.Repeat("5e", 16) + "\n", "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\n",
		"var/lib/systemd/random-seed": strings.Repeat("s", 512), "usr/lib/systemd/systemd": "#!/bin/false\n",
	} {
		must(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
}

// finish runs the program to its end on a target that was never touched, or on one
// that an earlier run left. It returns what it said.
func (k *killed) finish(t *testing.T) (said string) {
	if _, err := os.Stat(k.target()); err != nil {
		k.renew(t)
	}
	out, said, err := k.ingot.try(t, k.args()...)
	if err != nil && !(k.killCase.deploy != nil && strings.Contains(said, "finds a loader")) {
		t.Fatalf("the next run: %v\n%s%s", err, out, said)
	}
	return said
}

// renew puts on the target what was there at first.
func (k *killed) renew(t *testing.T) {
	volumetest.Tool(t, "cp", "--sparse=always", k.before(), k.target())
}

// result is what is on the target's second partition; the judges found it sound.
func (k *killed) result(t *testing.T) map[string]string {
	judgeTable(t, k.target())
	dir, unmount := k.mount(t, k.target())
	defer unmount()
	tree := treeOf(t, dir)
	for _, name := range k.written {
		tree[name] = withoutTime(tree[name])
	}
	return tree
}

// round cuts one run short, looks at what it left, and lets the next run finish.
func (k *killed) round(t *testing.T, c cutShort) {
	k.renew(t)
	k.runs++
	mark := fmt.Sprintf("INGOT_TEST_RUN=%s-%d", k.dir, k.runs)
	said, code := k.cut(t, c, mark)
	// -1 is the death by the signal itself: at once, or before the program takes SIGINT for a wish.
	if code > 0 && code != 130 && !strings.Contains(said, "finds a loader") {
		t.Errorf("%v: ended with %d\n%s", c, code, said)
	}
	k.nothingIsLeft(t, c, mark)
	state := k.state(t)
	if state == "" {
		t.Errorf("%v: the target is neither as it was, nor unfinished, nor complete\n%s", c, said)
	}
	k.finish(t)
	sameTrees(t, k.tree, k.result(t), k.changed)
	t.Logf("%v: exit %d, the target was %s", c, code, state)
}

// cut starts the program and ends it at the moment.
func (k *killed) cut(t *testing.T, c cutShort, mark string) (said string, code int) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := k.ingot.command(ctx, k.args()...)
	cmd.Env = append(cmd.Env, mark)
	end := func() { _ = cmd.Process.Signal(c.by) } // it may have ended
	w := &watcher{text: c.at, seen: end}
	cmd.Stderr = w
	must(t, cmd.Start())
	if c.at == "" {
		timer := time.AfterFunc(c.after, end)
		defer timer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return w.written.String(), cmd.ProcessState.ExitCode()
}

// watcher keeps what is written, and calls seen once when it holds text.
type watcher struct {
	written bytes.Buffer
	text    string
	seen    func()
}

func (w *watcher) Write(p []byte) (int, error) {
	w.written.Write(p)
	if w.text != "" && strings.Contains(w.written.String(), w.text) {
		w.text = ""
		w.seen()
	}
	return len(p), nil
}

// state tells what a run left on the target, "" for what must not be.
func (k *killed) state(t *testing.T) string {
	target := volumetest.Open(t, k.target())
	unfinished, err := deploy.Unfinished(target)
	must(t, err)
	switch {
	case unfinished != "":
		if out, err := exec.Command("sfdisk", "--json", k.target()).Output(); err == nil {
			t.Errorf("a table is on the unfinished target: %s", out)
		}
		return "unfinished"
	case exec.Command("cmp", "--quiet", k.before(), k.target()).Run() == nil:
		return "as it was"
	case exec.Command("sfdisk", "--verify", k.target()).Run() == nil:
		sameTrees(t, k.tree, k.result(t), k.changed)
		return "complete"
	}
	return ""
}

// nothingIsLeft fails the test unless five seconds after the end of a run nothing
// of it runs, no loop device is on its files, and its folder holds nothing but
// empty folders.
func (k *killed) nothingIsLeft(t *testing.T, c cutShort, mark string) {
	deadline := time.Now().Add(5 * time.Second)
	left := k.left(t, mark)
	for len(left) > 0 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
		left = k.left(t, mark)
	}
	if len(left) > 0 {
		t.Errorf("%v: left are %q", c, left)
	}
	if c.by == syscall.SIGKILL {
		volumetest.Tool(t, "find", k.scratch(), "-mindepth", "1", "-type", "d", "-empty", "-delete")
	}
	rest, err := os.ReadDir(k.scratch())
	must(t, err)
	for _, e := range rest {
		t.Errorf("%v: left in the scratch folder is %s", c, e)
		must(t, os.RemoveAll(filepath.Join(k.scratch(), e.Name())))
	}
}

// left lists what there still is of a run: it knows its processes by what they
// were started with, and by the mounts that they see.
func (k *killed) left(t *testing.T, mark string) (left []string) {
	left = loopsOn(t, k.dir)
	processes, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, dir := range processes {
		environ, _ := os.ReadFile(filepath.Join(dir, "environ")) // it may have ended
		mounts, _ := os.ReadFile(filepath.Join(dir, "mountinfo"))
		if slices.Contains(strings.Split(string(environ), "\x00"), mark) || strings.Contains(string(mounts), k.dir) {
			line, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			left = append(left, fmt.Sprintf("process %s: %q", filepath.Base(dir), line))
		}
	}
	return left
}

// TestFitWithoutRoom gives what is changed too little room. The target is not touched.
func TestFitWithoutRoom(t *testing.T) {
	k := &killed{killCase: killCases()[0], ingot: newProgram(t), dir: t.TempDir(), rng: rand.New(rand.NewPCG(1, 1))}
	k.begin(t)
	k.renew(t)
	volumetest.Tool(t, "mount", "-t", "tmpfs", "-o", "size=64k", "ingot-test", k.scratch())
	defer volumetest.Tool(t, "umount", k.scratch())
	out, said, err := k.ingot.try(t, k.args()...)
	if err == nil {
		t.Fatalf("it succeeded: %s%s", out, said)
	}
	if !strings.Contains(said, "no space left") || !strings.Contains(said, k.scratch()) || !strings.Contains(said, "Nothing was written") {
		t.Errorf("it said: %s", said)
	}
	if state := k.state(t); state != "as it was" {
		t.Errorf("the target is %q", state)
	}
}

// assemble makes a disk with the table that sfdisk's script describes, and volumes
// at their places.
func assemble(t testing.TB, size int64, sector int, script string, volumes map[int64]string) string {
	t.Helper()
	disk := blankFile(t, size)
	onDevice(t, disk, sector, func(dev string) {
		cmd := exec.Command("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", dev)
		cmd.Stdin = strings.NewReader(script)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("sfdisk: %v\n%s", err, out)
		}
	})
	for at, volume := range volumes {
		volumetest.Tool(t, "dd", "if="+volume, "of="+disk, "bs=1M", "conv=notrunc,sparse", "oflag=seek_bytes", fmt.Sprintf("seek=%d", at))
	}
	return disk
}

// cut copies a partition into a file.
func cut(t testing.TB, disk string, p partition) string {
	t.Helper()
	volume := blankFile(t, p.Size)
	volumetest.Tool(t, "dd", "if="+disk, "of="+volume, "bs=1M", "conv=notrunc,sparse", "iflag=skip_bytes,count_bytes",
		fmt.Sprintf("skip=%d", p.Start), fmt.Sprintf("count=%d", p.Size))
	return volume
}
