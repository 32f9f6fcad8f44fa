package account

import (
	"strconv"
	"strings"
)

// Limits are what login.defs(5) says about new accounts.
type Limits struct {
	UIDMin, UIDMax       int
	GIDMin, GIDMax       int
	SysGIDMin, SysGIDMax int
	SubMin, SubCount     int
	UserGroups           bool // a group of its own for each user
	HomeMode             uint32
}

// maxID bounds every number of Limits: the highest ID is reserved by POSIX, and
// what lies above 2^31 breaks programs.
const maxID = 1<<31 - 2

// ParseLimits reads login.defs files, the later over the earlier. What none
// says, or says in a way that makes no sense, is as shadow-utils has it.
func ParseLimits(texts ...[]byte) Limits {
	l := Limits{
		UIDMin: 1000, UIDMax: 60000, GIDMin: 1000, GIDMax: 60000, SysGIDMin: 100, SysGIDMax: 999,
		SubMin: 100000, SubCount: 65536, UserGroups: true, HomeMode: 0o700,
	}
	numbers := map[string]*int{
		"UID_MIN": &l.UIDMin, "UID_MAX": &l.UIDMax, "GID_MIN": &l.GIDMin, "GID_MAX": &l.GIDMax,
		"SYS_GID_MIN": &l.SysGIDMin, "SYS_GID_MAX": &l.SysGIDMax, "SUB_UID_MIN": &l.SubMin, "SUB_UID_COUNT": &l.SubCount,
	}
	for _, text := range texts {
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 2 {
				continue
			}
			n, err := strconv.ParseInt(f[1], 0, 64) // shadow-utils takes octal and hex, too
			switch number := numbers[f[0]]; {
			case number != nil && err == nil && n > 0 && n <= maxID:
				*number = int(n)
			case f[0] == "USERGROUPS_ENAB":
				l.UserGroups = strings.EqualFold(f[1], "yes")
			case f[0] == "HOME_MODE" && err == nil && n > 0 && n <= 0o777:
				l.HomeMode = uint32(n)
			}
		}
	}
	return l
}
