package start

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Modules is what depmod wrote about the modules of one kernel: where they are,
// what each needs, which devices they drive. Names have _ where files may have -.
//
// Source: modules.dep(5), depmod.d(5), and the files that depmod of kmod writes.
type Modules struct {
	files   map[string]string   // name → file below the folder
	needs   map[string][]string // name → all it needs; the last is loaded first
	before  map[string][]string // softdep pre
	after   map[string][]string // softdep post
	aliases map[string][]alias  // by what is before the first colon
	builtin map[string]bool
	banned  map[string]bool // from devices; who names them gets them
}

type alias struct{ pattern, module string }

// maxIndex bounds one file of depmod's; Debian's largest has 2 MiB.
const maxIndex = 64 << 20

// ReadModules reads depmod's files from the folder of a kernel's modules. One
// without modules.dep is an error that wraps fs.ErrNotExist.
func ReadModules(fsys fs.FS) (*Modules, error) {
	m := &Modules{
		files: map[string]string{}, needs: map[string][]string{}, before: map[string][]string{}, after: map[string][]string{},
		aliases: map[string][]alias{}, builtin: map[string]bool{}, banned: map[string]bool{},
	}
	for _, f := range []struct {
		name     string
		line     func([]string)
		optional bool
	}{
		{"modules.dep", m.addFile, false},
		{"modules.alias", m.addAlias, true},
		{"modules.softdep", m.addSoft, true},
		{"modules.builtin", m.addBuiltin, true},
	} {
		err := eachLine(fsys, f.name, f.line)
		if err != nil && !(f.optional && errors.Is(err, fs.ErrNotExist)) {
			return nil, fmt.Errorf("read what modules the kernel has: %w", err)
		}
	}
	return m, nil
}

// eachLine calls f with the words of each line that is no comment.
func eachLine(fsys fs.FS, name string, f func(words []string)) error {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return err
	}
	if info.Size() > maxIndex {
		return fmt.Errorf("%s has %d bytes, more than %d", name, info.Size(), maxIndex)
	}
	file, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) > 0 && !strings.HasPrefix(words[0], "#") {
			f(words)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// moduleName is what the kernel calls the module in a file.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// addFile takes "kernel/a.ko: kernel/b.ko kernel/c.ko".
func (m *Modules) addFile(words []string) {
	file, ok := strings.CutSuffix(words[0], ":")
	if !ok || !fs.ValidPath(file) {
		return
	}
	name := moduleName(file)
	m.files[name] = file
	m.needs[name] = nil
	for _, w := range words[1:] {
		m.needs[name] = append(m.needs[name], moduleName(w))
	}
}

// addAlias takes "alias pci:v00008086d* e1000e".
func (m *Modules) addAlias(words []string) {
	if len(words) != 3 || words[0] != "alias" {
		return
	}
	bus := busOf(words[1])
	m.aliases[bus] = append(m.aliases[bus], alias{words[1], strings.ReplaceAll(words[2], "-", "_")})
}

// busOf tells most aliases apart at once: no pattern has a wildcard there.
func busOf(modalias string) string {
	bus, _, ok := strings.Cut(modalias, ":")
	if !ok {
		return ""
	}
	return bus
}

// addSoft takes "softdep a pre: b c post: d".
func (m *Modules) addSoft(words []string) {
	if len(words) < 3 || words[0] != "softdep" {
		return
	}
	name := strings.ReplaceAll(words[1], "-", "_")
	var to map[string][]string
	for _, w := range words[2:] {
		switch {
		case w == "pre:":
			to = m.before
		case w == "post:":
			to = m.after
		case to != nil:
			to[name] = append(to[name], w)
		}
	}
}

func (m *Modules) addBuiltin(words []string) { m.builtin[moduleName(words[0])] = true }

// Ban reads what must not be loaded for a device, as "blacklist nouveau", from the
// files of modprobe.d(5).
func (m *Modules) Ban(dir fs.FS) error {
	names, err := fs.Glob(dir, "*.conf")
	for _, name := range names {
		err = errors.Join(err, eachLine(dir, name, func(words []string) {
			if len(words) == 2 && words[0] == "blacklist" {
				m.banned[strings.ReplaceAll(words[1], "-", "_")] = true
			}
		}))
	}
	return err
}

// Match returns the modules that claim a device, in the order of modules.alias,
// each once.
func (m *Modules) Match(modalias string) []string {
	var names []string
	seen := map[string]bool{}
	for _, a := range m.aliases[busOf(modalias)] {
		if !seen[a.module] && !m.banned[a.module] && glob(a.pattern, modalias) {
			seen[a.module] = true
			names = append(names, a.module)
		}
	}
	return names
}

// Has reports whether the kernel has the module, as a file or built in.
func (m *Modules) Has(name string) bool {
	_, ok := m.files[name]
	return ok || m.builtin[name]
}

// File is where a module is, below the folder; "" when it is built in or missing.
func (m *Modules) File(name string) string { return m.files[name] }

// Order returns what has to be loaded for name, a module or an alias as the kernel
// asks for, in order. What is built in or missing is left out.
func (m *Modules) Order(name string) []string {
	var order []string
	m.visitSoft([]string{name}, map[string]bool{}, &order)
	return order
}

func (m *Modules) visit(name string, seen map[string]bool, order *[]string) {
	if seen[name] || m.builtin[name] || m.files[name] == "" {
		return
	}
	seen[name] = true
	m.visitSoft(m.before[name], seen, order)
	for i := len(m.needs[name]) - 1; i >= 0; i-- {
		m.visit(m.needs[name][i], seen, order)
	}
	*order = append(*order, name)
	m.visitSoft(m.after[name], seen, order)
}

// visitSoft knows that a soft need may be an alias, as crypto-crc32c.
func (m *Modules) visitSoft(names []string, seen map[string]bool, order *[]string) {
	for _, n := range names {
		m.visit(strings.ReplaceAll(n, "-", "_"), seen, order)
		for _, module := range m.Match(n) {
			m.visit(module, seen, order)
		}
	}
}
