package linux

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

// layoutForm is an XKB layout with its variant in brackets.
var layoutForm = regexp.MustCompile(`^([a-z][a-z0-9_]*)(?:\(([A-Za-z0-9_-]+)\))?$`)

// setKeyboard sets the layout for X and for the console, which has keymaps of its
// own names.
func (m *machine) setKeyboard() error {
	keyboard := m.job.Settings.Keyboard
	if keyboard == "" {
		return nil
	}
	f := layoutForm.FindStringSubmatch(keyboard)
	if f == nil {
		return fmt.Errorf("%q is no keyboard layout", keyboard)
	}
	layout, variant := f[1], f[2]
	if m.system.family == debian || m.exists("/etc/default/keyboard") {
		if err := m.setDefaultKeyboard(layout, variant); err != nil {
			return err
		}
	}
	if m.system.family == debian {
		return nil
	}
	if err := m.setConsole(layout, variant); err != nil {
		return err
	}
	if m.isDir("/etc/X11") {
		return m.write("/etc/X11/xorg.conf.d/00-keyboard.conf", xorgKeyboard(layout, variant))
	}
	return nil
}

// setDefaultKeyboard writes keyboard(5) of Debian, which console and X share.
func (m *machine) setDefaultKeyboard(layout, variant string) error {
	const file = "/etc/default/keyboard"
	text, err := m.read(file)
	if err != nil {
		return err
	}
	if text == nil {
		text = []byte("XKBMODEL=\"pc105\"\nXKBLAYOUT=\"\"\nXKBVARIANT=\"\"\nXKBOPTIONS=\"\"\n\nBACKSPACE=\"guess\"\n")
	}
	text = shellvar.Set(text, "XKBLAYOUT", layout)
	return m.write(file, shellvar.Set(text, "XKBVARIANT", variant))
}

// setConsole writes vconsole.conf(5), which the initial RAM disk holds a copy of,
// for the passphrase of an encrypted disk.
func (m *machine) setConsole(layout, variant string) error {
	const file = "/etc/vconsole.conf"
	text, err := m.read(file)
	if err != nil {
		return err
	}
	keymap, err := m.keymap(layout, variant)
	if err != nil {
		return err
	}
	now := text
	if keymap != "" {
		now = shellvar.Set(now, "KEYMAP", keymap)
	} else {
		m.note("the image has no console keymap for the keyboard %s %s; the console keeps its own", layout, variant)
	}
	if _, set := shellvar.Get(text, "XKBLAYOUT"); set {
		now = shellvar.Set(shellvar.Set(now, "XKBLAYOUT", layout), "XKBVARIANT", variant)
	}
	if string(now) == string(text) {
		return nil
	}
	if crypttab, err := m.read("/etc/crypttab"); err == nil && firstWord(crypttab) != "" {
		m.rebuild(initramfs)
	}
	return m.write(file, now)
}

// keymap finds the console's name of a layout: in systemd's table, or a keymap
// that was made of the layout and bears its name.
func (m *machine) keymap(layout, variant string) (string, error) {
	text, err := m.read("/usr/share/systemd/kbd-model-map") // keymap layout model variant options
	if err != nil {
		return "", err
	}
	wanted := variant
	if wanted == "" {
		wanted = "-"
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[0][0] != '#' && f[1] == layout && f[3] == wanted && keymapForm.MatchString(f[0]) {
			return f[0], nil
		}
	}
	name := layout
	if variant != "" {
		name += "-" + variant
	}
	for _, dir := range []string{"/usr/share/kbd/keymaps", "/usr/lib/kbd/keymaps", "/usr/share/keymaps"} {
		for _, depth := range []string{"", "/*", "/*/*"} {
			for _, found := range m.glob(dir + depth + "/" + name + ".map*") {
				return strings.SplitN(path.Base(found), ".", 2)[0], nil
			}
		}
	}
	return "", nil
}

var keymapForm = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// xorgKeyboard is what localectl(1) writes for X.
func xorgKeyboard(layout, variant string) []byte {
	var options string
	if variant != "" {
		options = fmt.Sprintf("        Option \"XkbVariant\" \"%s\"\n", variant)
	}
	return fmt.Appendf(nil, "# written by ingot\nSection \"InputClass\"\n        Identifier \"system-keyboard\"\n        MatchIsKeyboard \"on\"\n        Option \"XkbLayout\" \"%s\"\n%sEndSection\n", layout, options)
}
