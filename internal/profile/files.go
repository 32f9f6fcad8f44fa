package profile

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

func (c *checker) files(p *Profile) {
	first := map[string]string{}
	for i := range p.Files {
		f, at := &p.Files[i], fmt.Sprintf("files[%d]", i)
		f.Source, _ = c.file(at+".source", f.Source)
		if f.Expand && c.isAt(at+".source") {
			c.add(at+".expand", "is for content: what source names is copied as it is")
		}
		if where := at + ".path"; c.given(where) {
			windows := driveLetter.MatchString(f.Path)
			key := f.Path
			if windows {
				key = strings.ToLower(strings.ReplaceAll(key, "/", `\`))
			}
			c.path(where, f.Path, windows)
			c.once(first, where, "the path "+key)
			for _, only := range []string{"mode", "owner"} {
				if windows && c.given(at+"."+only) {
					c.add(at+"."+only, "is for Linux only: leave it out for a path of Windows")
				}
			}
		}
	}
	if _, info := c.file("drivers", p.Drivers); info != nil {
		if !info.IsDir() {
			c.add("drivers", "%s is not a folder", quoted(p.Drivers))
		}
		p.Drivers = source{c.doc.dir, p.Drivers}.absolute()
	}
}

// isAt reports whether the key stands in the file, right or not.
func (c *checker) isAt(path string) bool {
	_, ok := c.doc.at[path]
	return ok
}

var driveLetter = regexp.MustCompile(`^[A-Za-z]:`)

// path checks where a file goes.
func (c *checker) path(at, name string, windows bool) {
	problem := linuxPath(name)
	switch {
	case windows:
		problem = windowsPath(name)
		if c.os == OSLinux {
			problem = fmt.Sprintf("%s is a path of Windows, and the image holds Linux", shown(name))
		}
	case c.os == OSWindows:
		problem = fmt.Sprintf("%s is no path of Windows, which the image holds: want one such as C:\\lab\\readme.txt", shown(name))
	}
	if problem != "" {
		c.add(at, "%s", problem)
	}
}

func linuxPath(name string) string {
	switch {
	case !strings.HasPrefix(name, "/"):
		return fmt.Sprintf("%s is not absolute: want a path such as /etc/motd or C:\\lab\\readme.txt", shown(name))
	case name == "/":
		return "is the root of the system: name a file or folder in it"
	case slices.Contains(strings.Split(name, "/"), ".."):
		return fmt.Sprintf("%s has .. in it: write the path without", shown(name))
	case path.Clean(name) != name:
		return fmt.Sprintf("%s is not the shortest form: want %s", shown(name), shown(path.Clean(name)))
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 { // NAME_MAX of <linux/limits.h>
			return "a part of the path is longer than 255 bytes"
		}
	}
	return ""
}

// notOfPath are the characters that no name on Windows holds (Microsoft: Naming
// Files, Paths, and Namespaces). The separators were taken out.
const notOfPath = `<>:"|?*`

var devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?$`)

func windowsPath(name string) string {
	if !strings.EqualFold(name[:2], "C:") {
		return fmt.Sprintf("%s is not on drive C:, and no other is known before Windows runs", shown(name))
	}
	rest := strings.ReplaceAll(name[2:], "/", `\`)
	if !strings.HasPrefix(rest, `\`) || len(rest) == 1 {
		return fmt.Sprintf("%s is not absolute: want a path such as C:\\lab\\readme.txt", shown(name))
	}
	for part := range strings.SplitSeq(rest[1:], `\`) {
		switch {
		case part == "" || part == "." || part == "..":
			return fmt.Sprintf("%s has an empty part, . or .. in it: write the path without", shown(name))
		case strings.ContainsAny(part, notOfPath):
			return fmt.Sprintf("%s has one of %s in it, which no name on Windows holds", shown(name), notOfPath)
		case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
			return fmt.Sprintf("a part of %s ends with a dot or a blank, which Windows drops", shown(name))
		case devices.MatchString(part):
			return fmt.Sprintf("%s names a device of DOS: choose another name", shown(name))
		case len([]rune(part)) > 255:
			return "a part of the path is longer than 255 characters"
		}
	}
	return ""
}

func (c *checker) scripts(p *Profile) {
	for i := range p.Scripts {
		s, at := &p.Scripts[i], fmt.Sprintf("scripts[%d]", i)
		if s.Expand && c.isAt(at+".source") {
			c.add(at+".expand", "is for content: what source names is copied as it is")
		}
		if text := at + ".content"; c.given(text) {
			c.script(text, s.Content)
		}
		data, absolute, info := c.content(at+".source", s.Source, maxScript)
		if info == nil {
			continue
		}
		s.Source = absolute
		c.script(at+".source", string(data))
		if ext := strings.ToLower(path.Ext(absolute)); c.os == OSWindows && !slices.Contains([]string{".cmd", ".bat", ".ps1"}, ext) {
			c.add(at+".source", "%s cannot run on Windows: want a file that ends with .cmd, .bat or .ps1", shown(path.Base(absolute)))
		}
	}
}

// script checks how a script begins.
func (c *checker) script(at, text string) {
	shebang := strings.HasPrefix(text, "#!")
	switch {
	case !c.given(at):
	case strings.HasPrefix(text, "#!/") && strings.Contains(strings.SplitN(text, "\n", 2)[0], "\r"):
		c.add(at, "its first line ends with a carriage return, so that Linux finds no interpreter: save it with line ends of Linux")
	case c.os == OSLinux && !shebang:
		c.add(at, "does not begin with #!: write #!/bin/sh as its first line")
	case c.os == OSWindows && shebang:
		c.add(at, "begins with #!, as scripts of Linux do, and the image holds Windows")
	}
}
