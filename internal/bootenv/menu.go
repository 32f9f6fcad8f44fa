package bootenv

import "strings"

// menuSeconds is how long the stick's menu waits before it starts the first entry.
const menuSeconds = "5"

// entry is a line of the stick's menu that starts the environment.
type entry struct {
	title     string
	arguments string
}

// entries are the lines of the menu. The kernel's messages go to every console=, what
// PID 1 writes to /dev/console goes to the last one.
func (s stick) entries() []entry {
	facts := s.config.arguments() + " "
	return []entry{
		{"Start ingot", facts + "console=ttyS0,115200 console=tty0 quiet"},
		{"Start ingot with the console on the first serial port", facts + "console=tty0 console=ttyS0,115200 ingot.console=ttyS0"},
		{"Start ingot and show what the kernel says", facts + "console=ttyS0,115200 console=tty0 loglevel=7"},
	}
}

// grubConfig is what the signed GRUB reads for UEFI. The serial port gets the menu as
// well, where there is one.
func (s stick) grubConfig() string {
	mark := "/boot/ingot/" + s.id
	lines := []string{
		"search --no-floppy --set=root --file " + mark,
		"if serial --unit=0 --speed=115200; then",
		"  terminal_input --append serial",
		"  terminal_output --append serial",
		"fi",
		"set timeout=" + menuSeconds,
		"set default=0",
	}
	for _, e := range s.entries() {
		lines = append(lines, "menuentry '"+e.title+"' {", "  linux /boot/vmlinuz "+e.arguments, "  initrd /boot/initrd.img", "}")
	}
	return isoText(append(lines, "menuentry 'Start what the firmware would start next' {", "  exit 1", "}")...)
}

// isolinuxConfig is what ISOLINUX reads for BIOS. Its TIMEOUT is in tenths of a second.
func (s stick) isolinuxConfig() string {
	lines := []string{"SERIAL 0 115200", "UI menu.c32", "PROMPT 0", "TIMEOUT " + menuSeconds + "0", "MENU TITLE ingot " + s.manifest.Agent}
	for i, e := range s.entries() {
		label := "LABEL ingot" + string(rune('0'+i))
		lines = append(lines, label, "  MENU LABEL "+e.title, "  KERNEL /boot/vmlinuz", "  INITRD /boot/initrd.img", "  APPEND "+e.arguments)
	}
	return isoText(append(lines, "LABEL disk", "  MENU LABEL Start the first disk", "  LOCALBOOT 0x80")...)
}

func isoText(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
