package agent

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// keyboard is the other side of a console: what a person sees and types.
type keyboard struct {
	t  *testing.T
	f  *os.File
	mu sync.Mutex
	// seen since the last time something was typed.
	seen strings.Builder
}

// openConsole makes a pseudo terminal and returns its two sides.
func openConsole(t *testing.T, serial bool) (*keyboard, Console) {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/pts/%d", n)
	hold, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0) // or the other side reads errors at first
	if err != nil {
		t.Fatal(err)
	}
	k := &keyboard{t: t, f: f}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf)
			if err != nil {
				return
			}
			k.mu.Lock()
			k.seen.Write(buf[:n])
			k.mu.Unlock()
		}
	}()
	t.Cleanup(func() { hold.Close(); f.Close() })
	return k, Console{Path: path, Serial: serial}
}

// sees waits for a text.
func (k *keyboard) sees(text string) {
	k.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		k.mu.Lock()
		ok := strings.Contains(k.seen.String(), text)
		k.mu.Unlock()
		if ok {
			return
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.t.Fatalf("the console does not show %q, but\n%s", text, k.seen.String())
}

func (k *keyboard) types(text string) {
	k.mu.Lock()
	k.seen.Reset()
	k.mu.Unlock()
	_, _ = k.f.WriteString(text)
}

func TestMenu(t *testing.T) {
	screen, c1 := openConsole(t, false)
	serial, c2 := openConsole(t, true)
	s := newFakeServer(t)
	_, h := startAgent(t, s, c1, c2)
	for _, k := range []*keyboard{screen, serial} {
		k.sees("WAITING FOR APPROVAL")
		k.sees("OptiPlex 7090")
	}

	screen.types("\n")
	screen.sees("Deploy an image")
	screen.types("nonsense\n")
	screen.sees("Number, or Enter")
	screen.types("1\n")
	screen.sees("Where are the images?")

	// One person at a time.
	serial.types("\n")
	serial.sees("Capture a disk")
	serial.types("2\n")
	serial.sees("Somebody is at work on " + c1.Path)
	serial.types("\n")
	serial.sees("Deploy an image")
	serial.types("6\n")
	serial.sees("10.0.0.9/24")
	serial.types("\n\n")
	serial.sees("WAITING FOR APPROVAL")

	folder := t.TempDir()
	screen.types("2\n")
	screen.sees("Folder?")
	screen.types(folder + "\n")
	screen.sees("lab-pc:v1")
	screen.sees("Which image")
	screen.types("done\n")
	screen.sees("/dev/vda  1.0 GiB")
	screen.types("1\n")
	screen.sees("Host name")
	screen.types("lab-7\n")
	screen.sees("the plan")
	screen.sees("Type 'yes'")
	screen.types("yes\n")
	screen.sees("# ingot deploy done /dev/vda --store " + folder + " --hostname lab-7 --yes")
	screen.sees("Enter to go on")
	screen.types("\n")
	screen.sees("Clone a disk")

	// Whoever does not say yes changes nothing.
	screen.types("1\n")
	screen.sees("Where are the images?")
	screen.types("\n")
	screen.sees("Clone a disk")

	screen.types("8\n")
	screen.sees("'exit' goes back")
	screen.types("echo $((6*7)) on $TERM; exit\n")
	screen.sees("42 on linux")
	screen.sees("Clone a disk")

	screen.types("9\n")
	screen.sees("Type 'yes'")
	screen.types("no\n")
	screen.sees("Clone a disk")
	screen.types("9\n")
	screen.sees("Type 'yes'")
	screen.types("yes\n")
	select {
	case <-h.gone:
	case <-time.After(10 * time.Second):
		t.Error("the machine does not restart")
	}
}

// TestStandAlone: without a server the screen begins with the menu.
func TestStandAlone(t *testing.T) {
	k, c := openConsole(t, false)
	startAgent(t, nil, c)
	k.sees("Deploy an image")
	k.types("\n")
	k.sees("STAND-ALONE")
	k.types("\n")
	k.sees("Deploy an image")
	k.types("7\n")
	k.sees("Enter to go on")
}
