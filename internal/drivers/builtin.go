package drivers

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// OpenBuiltin reads what the system in root brings itself. Notes are what could
// not be read of it. The error is ctx's, or fs.ErrNotExist when root has no such
// system.
func OpenBuiltin(ctx context.Context, root *rootfs.Root, os OS, arch string) (b Builtin, notes []string, err error) {
	if os == Windows {
		return openWindows(ctx, root, arch)
	}
	b, err = openLinux(ctx, root)
	return b, nil, err
}

// maxAliases bounds one file of aliases, bytes; Debian's has 1.5 MiB.
const maxAliases = 64 << 20

// aliases are the patterns of modaliases that a kernel has drivers for, by what
// stands before the first special character, so that few are compared.
type aliases map[string][]string

// keySize is how much of a pattern makes its key: bus and vendor, which nearly all name.
const keySize = len("pci:v00008086")

func (a aliases) add(pattern string) {
	key := pattern
	if i := strings.IndexAny(key, "*?["); i >= 0 {
		key = key[:i]
	}
	key = key[:min(len(key), keySize)]
	a[key] = append(a[key], pattern)
}

// Claims matches as depmod's readers do, by fnmatch(3).
func (a aliases) Claims(d profile.Device) bool {
	for n := range min(len(d.Modalias), keySize) + 1 {
		for _, pattern := range a[d.Modalias[:n]] {
			if ok, err := path.Match(pattern, d.Modalias); ok && err == nil {
				return true
			}
		}
	}
	return false
}

// openLinux reads the aliases of all kernels of a system.
func openLinux(ctx context.Context, root *rootfs.Root) (Builtin, error) {
	versions, err := kernels(root)
	if err != nil {
		return nil, err
	}
	all := aliases{}
	for _, v := range versions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		dir := path.Join(modulesDir, v)
		data, err := root.ReadFile(path.Join(dir, "modules.alias"), maxAliases)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for line := range strings.Lines(string(data)) { // alias PATTERN MODULE
			if w := strings.Fields(line); len(w) == 3 && w[0] == "alias" {
				all.add(w[1])
			}
		}
		data, err = root.ReadFile(path.Join(dir, "modules.builtin.modinfo"), maxAliases)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		all.addModinfo(data, ".alias=")
	}
	return all, nil
}

// addModinfo takes the aliases out of a list of 'key=value' that end in NUL, as
// modules carry them, and as modules.builtin.modinfo has those of all built-in
// ones with the module's name before the key.
func (a aliases) addModinfo(data []byte, key string) {
	for field := range bytes.SplitSeq(data, []byte{0}) {
		if i := bytes.Index(field, []byte(key)); i >= 0 && len(field) < 4096 {
			a.add(string(field[i+len(key):]))
		}
	}
}

const modulesDir = "lib/modules"

// kernels are the versions that a system has modules for.
func kernels(root *rootfs.Root) ([]string, error) {
	entries, err := root.ReadDir(modulesDir)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() && root.Exists(path.Join(modulesDir, e.Name(), "modules.dep")) {
			all = append(all, e.Name())
		}
	}
	return all, nil
}
