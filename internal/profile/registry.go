package profile

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// registry checks one edit. Its limits are those of Microsoft: Registry Element
// Size Limits.
func (c *checker) registry(path string, edit RegistryEdit) {
	if at := path + ".key"; c.given(at) {
		if problem := registryKeyProblem(edit.Key); problem != "" {
			c.add(at, "%s", problem)
		}
	}
	if at := path + ".value"; c.given(at) && c.right(path+".type") {
		if _, err := edit.Data(); err != nil {
			c.add(at, "%v", err)
		}
	}
	if edit.Delete && c.given(path+".type") {
		c.add(path+".type", "has no meaning beside delete: leave it out")
	}
}

// right reports whether nothing is known against path.
func (c *checker) right(path string) bool { return !c.done[path] }

func registryKeyProblem(key string) string {
	parts := strings.Split(key, `\`)
	switch root := strings.ToUpper(parts[0]); {
	case root == "HKEY_LOCAL_MACHINE":
		return `write HKLM instead of HKEY_LOCAL_MACHINE`
	case root == "HKCU" || root == "HKEY_CURRENT_USER" || root == "HKU" || root == "HKEY_USERS":
		return "users have no registry before they log on: use windows.commands for what belongs to them"
	case root != "HKLM":
		return fmt.Sprintf(`%s is no key: want one such as HKLM\SOFTWARE\Policies\Lab`, shown(key))
	}
	hive := ""
	if len(parts) > 1 {
		hive = strings.ToUpper(parts[1])
	}
	switch {
	case hive == "SAM" || hive == "SECURITY":
		return fmt.Sprintf("the hive %s holds accounts and secrets, and is not edited: use users and windows.administrator", hive)
	case hive != "SOFTWARE" && hive != "SYSTEM":
		return `only keys below HKLM\SOFTWARE and HKLM\SYSTEM are edited`
	case len(parts) < 3:
		return "names the hive itself: name a key in it"
	}
	for _, part := range parts {
		if part == "" || len([]rune(part)) > 255 {
			return `has a part that is empty or longer than 255 characters; parts are separated by one \`
		}
	}
	return ""
}

// Data is the value in the form of its type: string for sz and expand-sz, uint32
// for dword, uint64 for qword, []string for multi-sz (one a line), []byte for
// binary. Its errors do not hold the value.
func (e RegistryEdit) Data() (any, error) {
	switch e.Type {
	case "", "sz", "expand-sz":
		return e.Value, nil
	case "dword":
		n, err := parseNumber(e.Value, math.MaxUint32)
		return uint32(n), err
	case "qword":
		return parseNumber(e.Value, math.MaxUint64)
	case "multi-sz":
		return multi(e.Value)
	case "binary":
		b, err := hex.DecodeString(strings.NewReplacer(" ", "", ",", "", "\n", "").Replace(e.Value))
		if err != nil {
			return nil, fmt.Errorf("is not binary: want pairs of hex digits, such as 01 ff")
		}
		return b, nil
	}
	return nil, fmt.Errorf("has no known type")
}

func parseNumber(s string, most uint64) (uint64, error) {
	base := 10
	if len(s) > 2 && strings.EqualFold(s[:2], "0x") {
		s, base = s[2:], 16
	}
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil || n > most {
		return 0, fmt.Errorf("is no number from 0 to %d, such as 10 or 0x0a", most)
	}
	return n, nil
}

// multi are the lines of a list; an empty one would end it for whoever reads it.
func multi(s string) ([]string, error) {
	s = strings.TrimSuffix(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	if s == "" {
		return nil, nil
	}
	lines := strings.Split(s, "\n")
	for _, line := range lines {
		if line == "" {
			return nil, fmt.Errorf("has an empty line, which would end the list")
		}
	}
	return lines, nil
}
