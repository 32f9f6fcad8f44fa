package lint

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
	winsys "github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/system"
)

// installed is a system in the image.
type installed struct {
	tree
	kind      system.Kind
	partition int

	says    *winsys.Info // of Windows, by itself; nil until it was asked
	saysErr error
}

// found makes a finding about the system.
func (i *installed) found(id ID, path, what string, args ...any) Finding {
	return found(id, i.partition, path, what, args...)
}

// one is for checks that find one thing or nothing.
func (i *installed) one(id ID, path, what string, args ...any) ([]Finding, error) {
	return []Finding{i.found(id, path, what, args...)}, nil
}

// info is what a Windows says about itself.
func (i *installed) info() (*winsys.Info, error) {
	if i.says == nil {
		says, err := winsys.Inspect(i.tree)
		i.says, i.saysErr = &says, err
	}
	return i.says, i.saysErr
}

// name is what the system calls itself; "" when that is not known.
func (i *installed) name() string {
	if i.kind == system.Windows {
		says, _ := i.info()
		return shown(strings.TrimSpace(says.Product + " " + says.Build))
	}
	for _, file := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		text, _ := i.text(file)
		if name, ok := shellvar.Get([]byte(text), "PRETTY_NAME"); ok {
			return shown(name)
		}
	}
	return ""
}

// first is the first of several names; "" where there are none.
func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

// program reports whether a Linux has a program in one of the usual folders.
func (i *installed) program(name string) bool {
	return slices.ContainsFunc([]string{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}, func(dir string) bool { return i.exists(dir + name) })
}

// home is the folder of an account.
type home struct{ user, dir string }

// maxHomes is how many accounts are looked at.
const maxHomes = 500

// homes are those of root and of people, by passwd(5); a folder in /home that
// nobody owns any more has files all the same.
func (i *installed) homes(ctx context.Context) ([]home, error) {
	passwd, err := i.text("/etc/passwd")
	if err != nil {
		return nil, err
	}
	homes := []home{{"root", "/root"}}
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 7 || !strings.HasPrefix(f[5], "/") || len(homes) >= maxHomes {
			continue
		}
		if uid, err := strconv.ParseUint(f[2], 10, 32); err == nil && (uid == 0 || uid >= 1000) && path.Clean(f[5]) != "/" {
			homes = append(homes, home{f[0], path.Clean(f[5])})
		}
	}
	others, err := i.glob(ctx, "/home/*")
	for _, dir := range others {
		homes = append(homes, home{path.Base(dir), dir})
	}
	slices.SortStableFunc(homes, func(a, b home) int { return strings.Compare(a.dir, b.dir) })
	return slices.CompactFunc(homes, func(a, b home) bool { return a.dir == b.dir }), err
}
