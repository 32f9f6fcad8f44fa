package server

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is the folder in which a server keeps everything.
type Folder string

// Store is the folder of the images' store.
func (f Folder) Store() string { return filepath.Join(string(f), "store") }

// BootEnvironment is the folder that 'ingot bootenv build' fills.
func (f Folder) BootEnvironment() string { return filepath.Join(string(f), "bootenv") }

// Profiles is the folder of the profiles' folders.
func (f Folder) Profiles() string { return filepath.Join(string(f), "profiles") }

// Database is the SQLite database that is used unless another is named.
func (f Folder) Database() string { return filepath.Join(string(f), "ingot.db") }

// Certificates is where the server's authority is kept.
func (f Folder) Certificates() string { return filepath.Join(string(f), "tls") }

// Leases is the file of the addresses that --dhcp-range gave out.
func (f Folder) Leases() string { return filepath.Join(string(f), "leases.json") }

// setup is the file with the link that makes the first administrator.
func (f Folder) setup() string { return filepath.Join(string(f), "setup-link") }

// forgetSetup removes that link when it is worth nothing any more.
func (f Folder) forgetSetup() error {
	err := os.Remove(f.setup())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// LockedError says that another server uses the folder.
type LockedError struct{ Folder Folder }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another ingot server uses %s; stop it first, or name another folder with --data", string(e.Folder))
}

// lock makes the folder, and keeps other servers out of it until unlock is called or
// this process ends.
func (f Folder) lock() (unlock func() error, err error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(string(f), "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = &LockedError{f}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file.Close, nil
}
