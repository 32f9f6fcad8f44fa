package start

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mostStrikes is how many times in a row a machine restarts because its agent
// failed. After that it stays, with the reason on its console.
const mostStrikes = 3

// strikes count the restarts in a variable of the firmware, the one memory of a
// machine that belongs to nobody's disk. It is written before such a restart and
// removed after a success, so a machine that works never wears its flash. A
// machine without UEFI has no such memory, and is never restarted.
type strikes struct {
	path  string // "" where there is no memory
	count byte
}

// strikeVariable is of a vendor GUID made up for ingot.
const strikeVariable = "IngotRestarts-4b1f6d4e-2f0f-4d2c-9d4b-6d0f8f0c7a11"

func openStrikes() strikes { return strikesIn(efivars) }

func strikesIn(dir string) strikes { return strikes{path: filepath.Join(dir, strikeVariable)} }

// read looks anew: the driver of the variables is loaded by the agent.
func (s *strikes) read() bool {
	if _, err := os.Stat(filepath.Dir(s.path)); err != nil {
		return false
	}
	s.count = 0
	// Four bytes of attributes, one of data.
	if b, err := os.ReadFile(s.path); err == nil && len(b) == 5 {
		s.count = b[4]
	}
	return true
}

// may reports whether one more restart is allowed.
func (s *strikes) may() bool { return s.read() && s.count < mostStrikes }

// add counts one.
func (s *strikes) add() {
	mutable(s.path)
	const attributes = 7 // non-volatile, seen at boot and at run time: UEFI 2.10, section 8.2
	_ = os.WriteFile(s.path, []byte{attributes, 0, 0, 0, s.count + 1}, 0o600)
}

// clear forgets them.
func (s *strikes) clear() {
	if _, err := os.Stat(s.path); err == nil {
		mutable(s.path)
		_ = os.Remove(s.path)
	}
}

// mutable takes away the protection that efivarfs gives to variables that it does
// not know.
func mutable(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, 0)
}
