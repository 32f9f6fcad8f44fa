package host

import "fmt"

// What somebody does with a device.
const (
	UseMounted  = "mounted"  // Where is the mount point
	UseSwap     = "swap"     // Where is empty
	UseHeld     = "held"     // by the device-mapper, md or bcache device Where
	UseAttached = "attached" // to the loop device Where
	UseClaimed  = "claimed"  // by somebody this process cannot see: another mount namespace, a daemon
	UseLocked   = "locked"   // an image file, by another process: QEMU, another ingot
)

// Use is one way in which a disk, one of its partitions or something stacked on
// them is in use.
type Use struct {
	Device string // what is in use, such as "/dev/sda2" or an image file
	What   string // one of the constants above
	Where  string
	// ReadOnly is true when the user cannot write. Of a mount it speaks for the
	// whole file system, not for one mount point of it.
	ReadOnly bool
}

func (u Use) String() string {
	mode := ""
	if u.ReadOnly {
		mode = " read-only"
	}
	switch u.What {
	case UseMounted:
		return fmt.Sprintf("%s is mounted%s on %s", u.Device, mode, u.Where)
	case UseSwap:
		return u.Device + " is in use as swap space"
	case UseHeld:
		return fmt.Sprintf("%s is part of %s", u.Device, u.Where)
	case UseAttached:
		return fmt.Sprintf("%s is attached%s to %s", u.Device, mode, u.Where)
	case UseLocked:
		return u.Device + " is locked by another process"
	}
	return u.Device + " is in use by a program or a mount that cannot be seen from here"
}
