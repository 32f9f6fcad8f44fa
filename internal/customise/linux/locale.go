package linux

import (
	"encoding/binary"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

var localeForm = regexp.MustCompile(`^(C|POSIX|[A-Za-z]{2,3}(_[A-Za-z]{2,4})?)(\.[A-Za-z0-9-]+)?(@[A-Za-z]+)?$`)

// setLocale sets the language, and has it made where the image cannot speak it yet.
func (m *machine) setLocale() error {
	locale := m.job.Settings.Locale
	if locale == "" {
		return nil
	}
	if !localeForm.MatchString(locale) {
		return fmt.Errorf("%q is no locale", locale)
	}
	files := []string{"/etc/locale.conf"}
	if m.system.family == debian {
		files = []string{"/etc/default/locale"}
		if m.exists("/etc/locale.conf") {
			files = append(files, "/etc/locale.conf")
		}
	}
	for _, name := range files {
		text, err := m.read(name)
		if err != nil {
			return err
		}
		text = shellvar.Unset(text, func(name string) bool { return name == "LANGUAGE" || strings.HasPrefix(name, "LC_") })
		if err := m.write(name, shellvar.Set(text, "LANG", locale)); err != nil {
			return err
		}
	}
	there, err := m.hasLocale(locale)
	if there || err != nil {
		return err
	}
	return m.makeLocale(locale)
}

// makeLocale has locale-gen(8) of Debian and Arch make a locale at the first boot.
func (m *machine) makeLocale(locale string) error {
	if !m.program("locale-gen") {
		m.note("the image does not have the locale %s, and no program that makes it; install its language package (glibc-langpack-%.2s on Fedora)", locale, locale)
		return nil
	}
	const file = "/etc/locale.gen"
	text, err := m.read(file)
	if err != nil {
		return err
	}
	base, modifier, _ := strings.Cut(locale, "@")
	_, codeset, ok := strings.Cut(base, ".")
	if !ok {
		codeset = "ISO-8859-1"
	}
	if strings.EqualFold(codeset, "utf8") {
		codeset = "UTF-8"
	}
	if modifier != "" && !ok {
		codeset = "ISO-8859-15"
	}
	line := locale + " " + codeset
	m.first = append(m.first, firstBootScript{name: "make the locale " + locale, data: []byte("#!/bin/sh\nexec locale-gen\n")})
	return m.write(file, uncomment(text, line))
}

// uncomment makes line one that counts.
func uncomment(text []byte, line string) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.TrimLeft(strings.TrimSpace(l), "# ") == line })
	if at < 0 {
		if n := len(text); n > 0 && text[n-1] != '\n' {
			line = "\n" + line
		}
		return append(slices.Clone(text), line+"\n"...)
	}
	lines[at] = line + "\n"
	return []byte(strings.Join(lines, ""))
}

// hasLocale reports whether the C library finds a locale.
func (m *machine) hasLocale(locale string) (bool, error) {
	base, modifier, at := strings.Cut(locale, "@")
	lang, codeset, dot := strings.Cut(base, ".")
	if lang == "C" || lang == "POSIX" {
		return true, nil
	}
	if dot { // as glibc's _nl_normalize_codeset: letters and digits, small
		lang += "." + strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(codeset))
	}
	if at {
		lang += "@" + modifier
	}
	if m.isDir("/usr/lib/locale/"+lang) || m.isDir("/usr/lib/locale/"+locale) {
		return true, nil
	}
	return m.archived(lang)
}

// archived looks for a locale's name in the strings of glibc's locale-archive:
// struct locarhead of locale/locarchive.h, of which the numbers 5 and 6 say where
// these are.
func (m *machine) archived(name string) (bool, error) {
	const file, magic, maxStrings = "/usr/lib/locale/locale-archive", 0xde020109, 1 << 20
	if e, there := m.stat(file); !there || !e.mode.IsRegular() {
		return false, nil
	}
	f, err := m.root.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [7]uint32
	if err := binary.Read(f, binary.LittleEndian, &head); err != nil || head[0] != magic || head[6] > maxStrings {
		return false, nil // of another C library, or byte order: not known is not there
	}
	names := make([]byte, head[6])
	if _, err := f.ReadAt(names, int64(head[5])); err != nil && err != io.EOF {
		return false, err
	}
	return slices.Contains(strings.Split(string(names), "\x00"), name), nil
}
