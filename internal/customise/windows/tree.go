package windows

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/windows/acl"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// tree is a volume whose names ignore case, with the hives of it that were opened.
// Names in it are slash-separated, as rootfs has them.
type tree struct {
	files  Files
	root   *rootfs.Root         // the same files, to be changed; nil when nothing is
	hives  map[string]*openHive // by the name of the file as it was asked for
	report customise.Report
}

type openHive struct {
	name string // as the volume spells it
	*hive.Hive
	editor *hive.Editor // nil until something is to be changed
}

func newTree(root *rootfs.Root) tree {
	return tree{files: root, root: root, hives: map[string]*openHive{}}
}

// spelled is name with those of its parts that are there as the volume spells
// them.
func (t *tree) spelled(name string) (string, error) {
	parts := strings.Split(strings.Trim(name, "/"), "/")
	for n := len(parts); n > 0; n-- {
		found, err := t.files.Fold(path.Join(parts[:n]...))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return path.Join(found, path.Join(parts[n:]...)), err
		}
	}
	return path.Join("/", path.Join(parts...)), nil
}

// read returns a file of at most limit bytes; the error is fs.ErrNotExist when
// there is none.
func (t *tree) read(name string, limit int64) ([]byte, error) {
	found, err := t.files.Fold(name)
	if err != nil {
		return nil, err
	}
	return t.files.ReadFile(found, limit)
}

// access says who may use a new file.
type access bool

const (
	inherited access = false // as its folder has it
	private   access = true  // administrators and the system
)

// write gives a file its content, unless it has it.
func (t *tree) write(name string, data []byte, who access) error {
	name, err := t.spelled(name)
	if err != nil {
		return err
	}
	if old, err := t.root.ReadFile(name, int64(len(data))); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := t.mkdir(path.Dir(name), inherited); err != nil {
		return err
	}
	isNew := !t.root.Exists(name)
	if err := t.root.WriteFile(name, data, rootfs.Attr{}); err != nil {
		return err
	}
	t.report.Touch(name)
	if isNew || who == private {
		return t.protect(name, false, who)
	}
	return nil
}

// mkdir makes a folder and those above it.
func (t *tree) mkdir(name string, who access) error {
	name, err := t.spelled(name)
	if err != nil || name == "/" || t.root.Exists(name) {
		return err
	}
	if err := t.mkdir(path.Dir(name), inherited); err != nil {
		return err
	}
	if err := t.root.Mkdir(name, rootfs.Attr{}); err != nil {
		return err
	}
	t.report.Touch(name)
	return t.protect(name, true, who)
}

// remove takes a file away, if there is one.
func (t *tree) remove(name string) (bool, error) {
	found, err := t.root.Fold(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	t.report.Touch(found)
	return true, t.root.Remove(found)
}

// protect gives something new the security descriptor that Windows would give it.
// Volumes that have none are left as they are.
func (t *tree) protect(name string, folder bool, who access) error {
	above, err := t.root.Xattr(path.Dir(name), acl.Attribute)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.ENODATA) {
		return nil
	}
	if err != nil {
		return err
	}
	descriptor := acl.Private(folder)
	if who == inherited {
		if descriptor, err = acl.Inherit(above, folder); err != nil {
			return fmt.Errorf("who may use %s: %w", path.Dir(name), err)
		}
	}
	return t.root.SetXattr(name, acl.Attribute, descriptor)
}

// Where hives are.
const (
	configDir = "Windows/System32/config/"
	system    = configDir + "SYSTEM"
	software  = configDir + "SOFTWARE"
	security  = configDir + "SECURITY"
)

// open returns a hive; the error is fs.ErrNotExist when there is none.
func (t *tree) open(name string) (*openHive, error) {
	if h := t.hives[name]; h != nil {
		return h, nil
	}
	found, err := t.spelled(name)
	if err != nil {
		return nil, err
	}
	data, err := t.files.ReadFile(found, hive.MaxSize)
	if err != nil {
		return nil, err
	}
	h, err := hive.Open(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", found, err)
	}
	t.hives[name] = &openHive{name: found, Hive: h}
	return t.hives[name], nil
}

// edit returns the editor of a hive. What it does is written by save.
func (t *tree) edit(name string) (*hive.Editor, error) {
	h, err := t.open(name)
	if err != nil {
		return nil, err
	}
	if h.editor == nil {
		if h.editor, err = h.Edit(time.Now()); err != nil {
			return nil, fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return h.editor, nil
}

// save writes the hives that were changed.
func (t *tree) save() error {
	for _, h := range t.sorted() {
		if h.editor == nil || !h.editor.Changed() {
			continue
		}
		data, err := h.editor.Bytes()
		if err == nil {
			err = t.write(h.name, data, inherited)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return nil
}

func (t *tree) sorted() []*openHive {
	var all []*openHive
	for _, h := range t.hives {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *openHive) int { return strings.Compare(a.name, b.name) })
	return all
}

// controlSet is the key that stands for CurrentControlSet while Windows runs.
func (t *tree) controlSet() (string, error) {
	h, err := t.open(system)
	if err != nil {
		return "", err
	}
	v, err := h.Value("Select", "Current")
	if err != nil {
		return "", fmt.Errorf("%s: %w", h.name, err)
	}
	n, err := v.Uint()
	if err != nil || n == 0 || n > 999 {
		return "", fmt.Errorf("%s: Select says that control set %d is in use, %v", h.name, n, err)
	}
	return fmt.Sprintf("ControlSet%03d", n), nil
}

// text is a value of text in a hive, "" where there is none.
func (t *tree) text(name, key, value string) string {
	h, err := t.open(name)
	if err != nil {
		return ""
	}
	v, err := h.Value(key, value)
	if err != nil {
		return ""
	}
	s, _ := v.Text()
	return s
}

// has reports whether a key is in a hive.
func (t *tree) has(name, key string) bool {
	h, err := t.open(name)
	if err != nil {
		return false
	}
	_, err = h.Find(key)
	return err == nil
}
