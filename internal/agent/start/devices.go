package start

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// explicit are modules that no device asks for: file systems for what may be on
// disks, loop devices and FUSE for what ingot mounts.
var explicit = [...]string{
	"loop", "fuse", "efivarfs", "ext4", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "nls_utf8", "xfs", "btrfs", "ntfs3", "exfat", "isofs", "overlay",
	"sd_mod", "sr_mod",
}

const (
	// quiet is how long nothing may happen until all devices count as found. A disk
	// behind a USB hub takes about a second from one step to the next.
	quiet = 1500 * time.Millisecond
	// settleMost bounds the wait for that. What comes later is driven as well.
	settleMost = 20 * time.Second
)

// A hotplug is the kernel's messages about devices.
type hotplug struct{ f *os.File }

// listen begins to hear of devices.
func listen() (*hotplug, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("listen for new devices: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
	const kernel = 1 // the group that the kernel sends to
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernel}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen for new devices: %w", err)
	}
	return &hotplug{os.NewFile(uintptr(fd), "uevent")}, nil
}

// next waits for the next message, at most until the deadline.
func (h *hotplug) next(deadline time.Time) (event, error) {
	if err := h.f.SetReadDeadline(deadline); err != nil {
		return event{}, err
	}
	buf := make([]byte, 16<<10)
	n, err := h.f.Read(buf)
	if err != nil {
		return event{}, err
	}
	return parseEvent(buf[:n]), nil
}

// event is what one message says.
type event struct{ action, subsystem, modalias string }

// parseEvent takes "add@/devices/...", then "KEY=value" each, all ended by NUL.
// Source: lib/kobject_uevent.c of the kernel.
func parseEvent(b []byte) event {
	var e event
	for field := range bytes.SplitSeq(b, []byte{0}) {
		key, value, _ := strings.Cut(string(field), "=")
		switch key {
		case "ACTION":
			e.action = value
		case "SUBSYSTEM":
			e.subsystem = value
		case "MODALIAS":
			e.modalias = value
		}
	}
	return e
}

// DriveAll loads the drivers of all devices and what else ingot needs, and returns
// when nothing new has come for a while. Failures are told to log; none of them
// is a reason to stop. Devices that come later are driven until ctx is done, and
// told to changed by their subsystem.
func (l *Loader) DriveAll(ctx context.Context, log func(string), changed func(subsystem string)) {
	d := &driver{Loader: l, log: log, driven: map[string]bool{}}
	events, err := listen()
	d.tell(err)
	others := make(chan struct{})
	go func() {
		defer close(others)
		d.tell(l.Load(explicit[:]...))
	}()
	// A bus brings devices that bring buses: walk until a walk finds nothing new.
	for before := -1; before != len(d.driven); {
		before = len(d.driven)
		d.drive(modaliases("/sys/devices")...)
	}
	if events != nil {
		d.settle(ctx, events)
	}
	<-others
	if events != nil {
		go d.follow(ctx, events, changed)
	}
}

// A driver remembers what it drives. One goroutine uses it at a time.
type driver struct {
	*Loader
	log    func(string)
	driven map[string]bool // by modalias
}

func (d *driver) tell(err error) {
	if err != nil {
		d.log(err.Error())
	}
}

// drive loads what claims devices that are new.
func (d *driver) drive(modaliases ...string) {
	var fresh []string
	for _, m := range modaliases {
		if m != "" && !d.driven[m] {
			d.driven[m] = true
			fresh = append(fresh, m)
		}
	}
	d.tell(d.Drive(fresh...))
}

// settle drives what comes until nothing has come for a while.
func (d *driver) settle(ctx context.Context, events *hotplug) {
	last, end := time.Now(), time.Now().Add(settleMost)
	for time.Since(last) < quiet && time.Now().Before(end) && ctx.Err() == nil {
		e, err := events.next(last.Add(quiet))
		if err != nil {
			break
		}
		if e.action == "add" && (e.modalias != "" || e.subsystem == "block") {
			last = time.Now()
			d.drive(e.modalias)
		}
	}
	d.drive(modaliases("/sys/devices")...) // what the socket had no room for
}

// follow drives what comes later.
func (d *driver) follow(ctx context.Context, events *hotplug, changed func(string)) {
	defer events.f.Close()
	for ctx.Err() == nil {
		e, err := events.next(time.Now().Add(time.Minute))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, unix.ENOBUFS):
			d.drive(modaliases("/sys/devices")...)
		case err != nil:
			d.tell(fmt.Errorf("listen for new devices: %w", err))
			return
		default:
			if e.action == "add" {
				d.drive(e.modalias)
			}
			changed(e.subsystem)
		}
	}
}

// modaliases are those of all devices below a folder of sysfs.
func modaliases(dir string) []string {
	var all []string
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "modalias" {
			return nil // devices come and go while they are looked at
		}
		if b, err := os.ReadFile(name); err == nil {
			all = append(all, strings.TrimSpace(string(b)))
		}
		return nil
	})
	return all
}
