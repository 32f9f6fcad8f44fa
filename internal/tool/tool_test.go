package tool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestNeed(t *testing.T) {
	if err := Need(Chroot, Unshare); err != nil {
		t.Fatal(err)
	}
	err := Need("no-such-program", Chroot, "no-such-program")
	var missing *MissingError
	if !errors.As(err, &missing) || len(missing.Names) != 1 {
		t.Fatalf("%v", err)
	}
	if got := (&MissingError{[]Name{Resize2fs, XFSGrow, E2fsck}}).Error(); !strings.HasSuffix(got, "apt-get install e2fsprogs xfsprogs") {
		t.Error(got)
	}
}

func TestRun(t *testing.T) {
	sh := func(script string) Command { return Command{Name: "sh", Args: []string{"-c", script}} }
	r, err := sh("echo out; echo err >&2").Run(t.Context())
	if err != nil || !strings.Contains(r.Output, "out\n") || !strings.Contains(r.Output, "err\n") {
		t.Errorf("%q, %v", r.Output, err)
	}
	_, err = sh("echo why; exit 3").Run(t.Context())
	var failed *FailedError
	if !errors.As(err, &failed) || failed.Code != 3 || !strings.Contains(err.Error(), "why") {
		t.Errorf("%v", err)
	}
	allowed := sh("exit 3")
	allowed.OK = []int{3}
	if r, err := allowed.Run(t.Context()); err != nil || r.Code != 3 {
		t.Errorf("%d, %v", r.Code, err)
	}
	if r, _ := sh("yes | head -c 1000000; echo end").Run(t.Context()); len(r.Output) > tailSize || !strings.HasSuffix(r.Output, "end\n") {
		t.Errorf("%d bytes of output are kept", len(r.Output))
	}
}

func TestRunIsStopped(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := Command{Name: "sh", Args: []string{"-c", "sleep 60 & wait"}}.Run(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > grace/2 {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestDaemon(t *testing.T) {
	d, err := Command{Name: "sleep", Args: []string{"60"}}.Start()
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-d.Done():
		t.Fatal("it ended by itself")
	default:
	}
	d.Kill()
	if d.Wait() == nil {
		t.Error("a killed program ended in order")
	}
	if _, err := (Command{Name: "no-such-program"}).Start(); err == nil {
		t.Error("a program that is not there was started")
	}
}

// TestSelf runs this program, which has no place in a folder of programs.
func TestSelf(t *testing.T) {
	r, err := Command{Name: Self, Args: []string{"-test.list=TestSelf"}}.Run(t.Context())
	if err != nil || !strings.Contains(r.Output, "TestSelf") {
		t.Errorf("%+v, %v", r, err)
	}
}
