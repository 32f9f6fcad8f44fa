package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ingot-imaging/ingot/internal/cli/clitest"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ingot": func() { os.Exit(Program{}.Main()) }})
}

// TestScripts runs testdata/*.txtar: what each command does, as its users see it.
// They add to the commands of testscript and of package clitest:
//
//	disk FILE                       put a disk image there: GPT with an ESP, an ext4 and swap
//	attach FILE VARIABLE            attach a file to a loop device with partitions
//	mount ARGS... DIR               mount(8), unmounted when the script ends
//	interrupt TEXT PROGRAM ARGS...  send SIGINT when TEXT was written to stderr; must end with 130
func TestScripts(t *testing.T) {
	reference := makeDisk(t)
	disk := func(ts *testscript.TestScript, _ bool, args []string) {
		ts.Check(ts.Exec("cp", "--sparse=always", reference, ts.MkAbs(args[0])))
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("INGOT_STORE", e.Getenv("WORK")+"/store")
			e.Setenv("PATH", e.Getenv("PATH")+":/usr/sbin:/sbin")
			e.Setenv("MTOOLS_SKIP_CHECK", "1")
			return nil
		},
		Cmds: clitest.Commands(map[string]clitest.Command{
			"disk": disk, "attach": attach, "mount": mountVolume, "interrupt": interrupt,
		}),
		UpdateScripts: os.Getenv("INGOT_UPDATE") != "",
	})
}

// makeDisk makes a disk image of 64 MiB with partitions of 8, 40 and 4 MiB.
func makeDisk(t *testing.T) (path string) {
	const script = `
truncate -s 64M disk
sgdisk -n1:2048:+8M -t1:ef00 -c1:ESP -n2:0:+40M -c2:root -n3:0:+4M -t3:8200 disk
truncate -s 8M esp && mkfs.vfat -F16 -s1 -n EFI -i cafe0001 esp
mkdir files && seq 1 200000 > files/numbers && head -c 2000000 /dev/urandom > files/noise
truncate -s 40M root && mke2fs -q -t ext4 -L root -d files root
truncate -s 4M swap && mkswap -L pages swap
dd if=esp of=disk bs=1M seek=1 conv=notrunc,sparse status=none
dd if=root of=disk bs=1M seek=9 conv=notrunc,sparse status=none
dd if=swap of=disk bs=1M seek=49 conv=notrunc,sparse status=none
`
	dir := t.TempDir()
	sh := exec.Command("sh", "-ec", script)
	sh.Dir, sh.Env = dir, append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	if out, err := sh.CombinedOutput(); err != nil {
		t.Fatalf("make a disk: %v\n%s", err, out)
	}
	return dir + "/disk"
}

// attach adds the partitions by partx, since not every kernel can read a GPT.
func attach(ts *testscript.TestScript, _ bool, args []string) {
	out, err := exec.Command("losetup", "--find", "--show", ts.MkAbs(args[0])).CombinedOutput()
	device := strings.TrimSpace(string(out))
	if err != nil {
		ts.Fatalf("losetup: %v: %s", err, device)
	}
	ts.Defer(func() {
		exec.Command("partx", "--delete", device).Run() // they would outlive the file
		exec.Command("losetup", "--detach", device).Run()
	})
	exec.Command("partx", "--add", device).Run() // fails where there is no table
	ts.Setenv(args[1], device)
	ts.Setenv(args[1]+"_NAME", strings.TrimPrefix(device, "/dev/"))
}

func mountVolume(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[len(args)-1])
	ts.Check(os.MkdirAll(dir, 0o755))
	ts.Check(ts.Exec("mount", append(args[:len(args)-1:len(args)-1], dir)...))
	ts.Defer(func() { exec.Command("umount", dir).Run() })
}

// interrupt leaves the program's stdin open and empty, as a terminal is while
// nobody types.
func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	path := strings.Split(ts.Getenv("PATH"), ":")[0] // where testscript puts the program under test
	cmd := exec.CommandContext(ctx, path+"/"+args[1], args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "INGOT_STORE="+ts.Getenv("INGOT_STORE"))
	_, err := cmd.StdinPipe()
	ts.Check(err)
	w := &waiter{text: args[0], seen: func() { cmd.Process.Signal(syscall.SIGINT) }}
	cmd.Stderr = w
	err = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != wire.ExitInterrupted {
		ts.Fatalf("ended with %d (%v), want %d\n%s", got, err, wire.ExitInterrupted, w.written.Bytes())
	}
	fmt.Fprintf(ts.Stderr(), "%s", w.written.Bytes())
}

// waiter keeps what is written and calls seen once when it holds text.
type waiter struct {
	written bytes.Buffer
	text    string
	seen    func()
}

func (w *waiter) Write(p []byte) (int, error) {
	w.written.Write(p)
	if w.seen != nil && strings.Contains(w.written.String(), w.text) {
		w.seen()
		w.seen = nil
	}
	return len(p), nil
}
