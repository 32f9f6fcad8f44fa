package mount

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// A mount may be busy for a moment after the last use of it, and a file system in
// user space needs a moment until it is there.
const (
	patience = 300 // moments
	moment   = 50 * time.Millisecond
)

func pause() { time.Sleep(moment) }

// byNTFS3G mounts NTFS with everything that ntfs-3g can show of it: named streams
// as file:stream, and the rest as system.ntfs_* attributes.
func byNTFS3G(ctx context.Context, m *Mount, path, kind string, opts Options) error {
	dev, err := m.attach(path, opts)
	if err != nil {
		return err
	}
	words := []string{"no_detach", "streams_interface=windows", "efs_raw", "noatime", "nodev", "nosuid", "big_writes", "no_def_opts", "allow_other", "silent"}
	if opts.ReadOnly {
		words = append(words, "ro")
	}
	return m.byDaemon(ctx, tool.Command{Name: tool.NTFS3G, Args: []string{"-o", strings.Join(words, ","), dev, m.Dir}})
}

// exfat is mounted by the kernel, or by exfat-fuse where that cannot.
func exfat(ctx context.Context, m *Mount, path, kind string, opts Options) error {
	dev, err := m.attach(path, opts)
	if err != nil {
		return err
	}
	err = m.mount(dev, kind, opts)
	var no *KindError
	if !errors.As(err, &no) || tool.Need(tool.ExFATFuse) != nil {
		return err
	}
	words := "noatime,nodev,nosuid"
	if opts.ReadOnly {
		words += ",ro"
	}
	return m.byDaemon(ctx, tool.Command{Name: tool.ExFATFuse, Args: []string{"-d", "-o", words, dev, m.Dir}})
}

// byDaemon starts a file system in user space and waits until it is there.
// Closing the mount waits until it has written everything and ended in order. So
// does the daemon when this process is killed: if it were killed too, it would be
// the last to see the mount, and the kernel, which takes that away then, would
// wait for its answer for ever.
func (m *Mount) byDaemon(ctx context.Context, c tool.Command) error {
	c.AtDeath = unix.SIGTERM
	var before, now unix.Stat_t
	if err := unix.Stat(m.Dir, &before); err != nil {
		return err
	}
	d, err := c.Start()
	if err != nil {
		return err
	}
	for {
		select {
		case <-d.Done():
			if err := d.Wait(); err != nil {
				return err
			}
			return fmt.Errorf("%s ended at once", c.Name)
		case <-ctx.Done():
			d.Kill()
			_ = unix.Unmount(m.Dir, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW) // it may have come so far
			return ctx.Err()
		case <-time.After(moment):
		}
		if err := unix.Stat(m.Dir, &now); err == nil && now.Dev != before.Dev {
			break
		}
	}
	m.first(func() error {
		if err := unmount(m.Dir); err != nil {
			d.Kill()
			return err
		}
		return d.Wait()
	})
	return nil
}
