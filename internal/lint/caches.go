package lint

import (
	"context"
	"errors"
)

// cache is a place with content that nobody misses.
type cache struct{ path, what string }

// minCache is what is worth a word, bytes.
const minCache = 32 << 20

// caches weighs places, and tells of the heavy ones.
func (i *installed) caches(ctx context.Context, places []cache) ([]Finding, error) {
	var all []Finding
	var errs error
	for _, c := range places {
		w, err := i.weigh(ctx, c.path)
		errs = errors.Join(errs, err)
		if w.files == 0 {
			w.bytes = i.size(c.path)
		}
		if w.bytes < minCache && !w.more {
			continue
		}
		size := mib(w.bytes)
		if w.more {
			size += " and more"
		}
		f := i.found(Caches, c.path, "%s holds %s: %s.", c.path, c.what, size)
		f.Bytes = w.bytes
		all = append(all, f)
	}
	return all, errs
}

func linuxCaches(ctx context.Context, l *installed) ([]Finding, error) {
	return l.caches(ctx, []cache{
		{"/var/cache/apt", "packages and lists of apt"},
		{"/var/lib/apt/lists", "lists of packages"},
		{"/var/cache/dnf", "packages of dnf"},
		{"/var/cache/libdnf5", "packages of dnf"},
		{"/var/cache/PackageKit", "packages of PackageKit"},
		{"/var/cache/zypp", "packages of zypper"},
		{"/var/cache/pacman/pkg", "packages of pacman"},
		{"/var/log/journal", "the journal of the reference PC"},
		{"/var/crash", "memory at crashes"},
		{"/var/lib/systemd/coredump", "memory at crashes"},
		{"/tmp", "temporary files"},
		{"/var/tmp", "temporary files"},
	})
}
