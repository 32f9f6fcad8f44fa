package windows

import (
	"fmt"
	"regexp"
	"strings"
)

// devices are names that DOS had for devices, with any ending; see "Naming Files,
// Paths, and Namespaces" by Microsoft.
var devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?$`)

// checkPart returns an error for what cannot be a name on Windows.
func checkPart(part string) error {
	switch {
	case part == "" || part == "." || part == "..":
		return fmt.Errorf("%q is no name of a file", part)
	case strings.ContainsAny(part, `<>:"/\|?*`) || strings.ContainsFunc(part, func(r rune) bool { return r < 0x20 || r == 0xFFFD }):
		return fmt.Errorf("%q has a character that no name on Windows holds", part)
	case strings.HasSuffix(part, ".") || strings.HasSuffix(part, " "):
		return fmt.Errorf("%q ends with a dot or a blank, which Windows drops", part)
	case devices.MatchString(part):
		return fmt.Errorf("%q is a device of DOS to Windows", part)
	case len([]rune(part)) > 255:
		return fmt.Errorf("a name of %d characters is longer than 255", len([]rune(part)))
	}
	return nil
}

// inTree is the name in the tree of a path such as C:\lab\readme.txt.
func inTree(windowsPath string) (string, error) {
	rest := strings.ReplaceAll(windowsPath, `\`, "/")
	if len(rest) < 4 || !strings.EqualFold(rest[:3], "C:/") {
		return "", fmt.Errorf("%q is not a path on drive C:, the only one that is there now", windowsPath)
	}
	rest = rest[3:]
	for part := range strings.SplitSeq(rest, "/") {
		if err := checkPart(part); err != nil {
			return "", fmt.Errorf("%q cannot be a path: %w", windowsPath, err)
		}
	}
	return "/" + rest, nil
}
