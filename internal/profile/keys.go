package profile

import (
	"regexp"
	"sync"
)

// A rule is what is known of a key besides its type. The check, the JSON Schema
// and the test of doc/profiles.md are made of the same rules.
type rule struct {
	path    string // [] for any entry of a list, .* for any key of a mapping; "password." for every password
	about   string // one sentence, for the schema
	pattern bool   // {placeholders} are expanded
	enum    []string
	form    string // regular expression of the whole value, for Go and for JSON Schema
	want    string // the form in words, after "want "
	most    int    // characters; 0: defaultMost
	empty   bool   // may be ""
	lines   bool   // may have several
	keys    string // for a mapping: form of its keys
}

// defaultMost is how long a value may be where nothing else is said, in characters.
const defaultMost = 255

const (
	unlimited   = MaxSize
	base64Chars = `[A-Za-z0-9./]`
)

// rules is the table of every key.
func rules() []rule {
	return []rule{
		{path: "name", pattern: true, about: "Host name, or a pattern for it. Left out: as it is in the image."},
		{path: "machines", about: "CSV file beside the profile: a line for each machine, values for patterns in its columns."},
		{path: "values", want: "a small letter, then small letters, digits, hyphens and underscores", about: "Placeholders of your own and their values. A column of the machines' table, and the command line, override them.", keys: `[a-z][a-z0-9_-]{0,63}`},
		{path: "values.*", about: "Value of the placeholder; empty if every machine must get its own.", empty: true},
		{path: "disk", about: "How the image is fitted to the disk."},
		{path: "disk.grow", about: "Which partition takes the space of a larger disk.", form: `auto|none|proportional|[1-9][0-9]{0,2}`, want: `auto, none, proportional or a partition's number in quotes`},
		{path: "disk.filesystems", want: "root, or a partition's number", about: "File systems that a file-based image gets, instead of those it was taken from, by root or partition number.", keys: `root|[1-9][0-9]{0,2}`},
		{path: "disk.filesystems.*", about: "Type of the file system.", enum: []string{"ext4", "xfs", "btrfs"}},
		{path: "locale", about: "Language and formats.", form: `C\.UTF-8|[a-z]{2,3}(_[A-Z]{2})?\.(UTF-8|utf8)(@[a-z]+)?`, want: `a locale such as de_DE.UTF-8`},
		{path: "keyboard", about: "Keyboard layout of XKB, with its variant in brackets.", form: `[a-z][a-z0-9_]{1,15}(\([A-Za-z0-9_-]{1,32}\))?`, want: "a layout such as de or de(nodeadkeys)"},
		{path: "timezone", about: "Time zone by its IANA name.", form: `[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*`, want: "a name such as Europe/Berlin"},

		{path: "users", about: "Local accounts: made, or changed if the image has them."},
		{path: "users[].name", pattern: true, about: "Log-on name."},
		{path: "users[].fullname", pattern: true, about: "Name for people."},
		{path: "users[].password", about: "Password; left out, the account has no password log-on."},
		{path: "users[].keys", about: "SSH keys that may log on: lines of authorized_keys."},
		{path: "users[].keys[]", about: "One line of authorized_keys.", most: 16 << 10},
		{path: "users[].groups", about: "Groups that the account is put into."},
		{path: "users[].groups[]", about: "Name of a group of the image."},
		{path: "users[].admin", about: "Administrator: sudo or wheel; Administrators on Windows."},
		{path: "users[].shell", about: "Log-on shell; Linux only.", form: `(/[A-Za-z0-9._+-]+)+`, want: "an absolute path such as /bin/bash"},
		{path: "password.hash", about: "Hash of crypt(5), as mkpasswd and openssl passwd -6 make it; Linux only.", want: "a hash of crypt(5) that begins with $y$, $6$, $5$ or $2b$, as 'mkpasswd' prints it",
			form: `\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|\$6\$(rounds=[1-9][0-9]{3,8}\$)?` + base64Chars + `{1,16}\$` + base64Chars + `{86}|\$5\$(rounds=[1-9][0-9]{3,8}\$)?` + base64Chars + `{1,16}\$` + base64Chars + `{43}|\$2[aby]\$[0-9]{2}\$` + base64Chars + `{53}`},
		{path: "password.file", pattern: true, about: "File whose first line is the password."},
		{path: "password.plain", about: "The password itself. Better kept in a file of its own.", most: 127},

		{path: "network", about: "Network interfaces. Left out: as it is in the image."},
		{path: "network[].name", about: "Name of the interface, or a pattern such as en*.", form: `[A-Za-z0-9*?][A-Za-z0-9*?._ -]*`, want: "a name such as eth0, or a pattern such as en*", most: 63},
		{path: "network[].mac", pattern: true, about: "Hardware address of the interface, instead of its name.", form: `[0-9A-Fa-f]{12}|[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{2}(-[0-9A-Fa-f]{2}){5}`, want: "six bytes such as 52:54:00:12:34:56"},
		{path: "network[].dhcp", about: "Addresses come from a DHCP server."},
		{path: "network[].addresses", about: "Fixed addresses."},
		{path: "network[].addresses[]", pattern: true, about: "Address with the length of its network's prefix."},
		{path: "network[].gateway", pattern: true, about: "Address of the default router."},
		{path: "network[].dns", about: "Addresses of name servers."},
		{path: "network[].dns[]", pattern: true, about: "Address of a name server."},
		{path: "network[].search", about: "Domains in which short names are looked up."},
		{path: "network[].search[]", pattern: true, about: "Name of a domain."},

		{path: "files", about: "Files and folders that are added to the system."},
		{path: "files[].path", about: "Where it goes: an absolute path of the deployed system.", most: 4095},
		{path: "files[].content", about: "Text of the file.", most: unlimited, empty: true, lines: true},
		{path: "files[].source", pattern: true, about: "File or folder beside the profile that is copied.", most: 4095},
		{path: "files[].expand", about: "Expand placeholders in content."},
		{path: "files[].mode", about: "Permissions in octal; Linux only.", form: `0?[0-7]{3,4}`, want: `an octal number in quotes, such as "0644"`},
		{path: "files[].owner", about: "Owner and group by name or number; Linux only.", form: `([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9})(:([a-z_][a-z0-9_-]{0,31}|[0-9]{1,9}))?`, want: "owner:group, such as root:adm or 1000:1000"},
		{path: "scripts", about: "Scripts that run once, in this order, at the first boot."},
		{path: "scripts[].name", about: "Name for its log.", form: `[A-Za-z0-9][A-Za-z0-9 ._-]*`, want: "letters, digits, blanks, dots, hyphens and underscores", most: 64},
		{path: "scripts[].content", about: "The script itself: begins with #! on Linux, a batch file on Windows.", most: unlimited, lines: true},
		{path: "scripts[].source", pattern: true, about: "File beside the profile; .cmd, .bat or .ps1 on Windows.", most: 4095},
		{path: "scripts[].expand", about: "Expand placeholders in content."},
		{path: "drivers", about: "Folder of driver sets beside the profile.", most: 4095},

		{path: "linux", about: "What only Linux has."},
		{path: "linux.machine-id", about: "Whether /etc/machine-id is made anew (the default).", enum: []string{"new", "keep"}},
		{path: "linux.ssh-host-keys", about: "Whether the SSH host keys are made anew (the default).", enum: []string{"new", "keep"}},
		{path: "linux.root", about: "Password of root. Left out: as it is in the image."},
		{path: "linux.root-keys", about: "SSH keys that may log on as root: lines of authorized_keys."},
		{path: "linux.root-keys[]", about: "One line of authorized_keys.", most: 16 << 10},
		{path: "linux.cloud-init", about: "Give cloud-init its data (seed, the default where it is installed), switch it off, or leave it alone.", enum: []string{"seed", "off", "keep"}},
		{path: "linux.kernel-args", about: "Words that are added to the kernel's command line."},
		{path: "linux.kernel-args[]", about: "One word.", form: `[!-~]+`, want: "one word of ASCII, such as quiet or console=ttyS0; each word is an entry of its own", most: 256},

		{path: "windows", about: "What only Windows has."},
		{path: "windows.product-key", pattern: true, about: "Product key.", form: `[A-Za-z0-9]{5}(-[A-Za-z0-9]{5}){4}`, want: "five groups of five letters or digits, with hyphens between"},
		{path: "windows.administrator", about: "Password of the built-in account Administrator, which is switched on by it."},
		{path: "windows.owner", pattern: true, about: "Registered owner."},
		{path: "windows.organization", pattern: true, about: "Registered organization."},
		{path: "windows.workgroup", about: "Workgroup to be in, instead of a domain."},
		{path: "windows.domain", about: "Domain to join: online by an account, or offline by a blob."},
		{path: "windows.domain.name", pattern: true, about: "DNS name of the domain."},
		{path: "windows.domain.user", pattern: true, about: "Account that may join machines: user, DOMAIN\\user or user@domain."},
		{path: "windows.domain.password", about: "Password of that account."},
		{path: "windows.domain.ou", pattern: true, about: "Distinguished name of the organizational unit for the machine's account.", most: 1024},
		{path: "windows.domain.blob", pattern: true, about: "File that 'djoin /provision' wrote for the machine.", most: 4095},
		{path: "windows.timezone", about: "Windows' own name of a time zone, instead of the one that belongs to timezone.", form: `[A-Za-z][A-Za-z0-9 .()+-]*`, want: "a name such as W. Europe Standard Time"},
		{path: "windows.keyboard", about: "Input locale, instead of the one that belongs to keyboard.", form: `[0-9A-Fa-f]{4}:[0-9A-Fa-f]{8}(;[0-9A-Fa-f]{4}:[0-9A-Fa-f]{8})*`, want: "language and layout in hex, such as 0407:00000407"},
		{path: "windows.commands", about: "Commands at the first log-on, in this order."},
		{path: "windows.commands[]", about: "One command line.", most: 1024},
		{path: "windows.setup-complete", about: "Lines of SetupComplete.cmd, which runs as system before the first log-on."},
		{path: "windows.setup-complete[]", about: "One line.", most: 8191},
		{path: "windows.registry", about: "Values that are set or deleted in the registry."},
		{path: "windows.registry[].key", about: "Key below HKLM\\SOFTWARE or HKLM\\SYSTEM.", most: 1024},
		{path: "windows.registry[].name", about: "Name of the value; left out, the key's default value.", empty: true},
		{path: "windows.registry[].type", about: "Type of the value; sz if left out.", enum: []string{"sz", "expand-sz", "dword", "qword", "multi-sz", "binary"}},
		{path: "windows.registry[].value", about: "The value: text, a number, lines, or bytes in hex.", most: unlimited, empty: true, lines: true},
		{path: "windows.registry[].delete", about: "Delete the value instead."},
		{path: "windows.unattend", about: "Own unattend.xml, used as template: what the profile says is put into it.", most: 4095},
		{path: "windows.not-generalized", about: "What to do with a Windows that sysprep did not generalize, if it goes to more than one machine: refuse (the default) or force.", enum: []string{"refuse", "force"}},
	}
}

// A shape is which keys must, and must not, stand together.
type shape struct {
	path     string
	required []string
	one      []string // exactly one of these
	most     []string // at most one of these
}

func shapes() []shape {
	return []shape{
		{path: "users[]", required: []string{"name"}},
		{path: "password", one: []string{"hash", "file", "plain"}},
		{path: "network[]", one: []string{"name", "mac"}},
		{path: "network[]", one: []string{"dhcp", "addresses"}},
		{path: "files[]", required: []string{"path"}, one: []string{"content", "source"}},
		{path: "scripts[]", one: []string{"content", "source"}},
		{path: "windows", most: []string{"workgroup", "domain"}},
		{path: "windows.domain", one: []string{"name", "blob"}},
		{path: "windows.registry[]", required: []string{"key"}, one: []string{"value", "delete"}},
	}
}

// A keyRule is a rule with its expression compiled.
type keyRule struct {
	rule
	re *regexp.Regexp // nil: any form
}

// ruleOf looks a rule up by its path.
var ruleOf = sync.OnceValue(func() map[string]keyRule {
	byPath := map[string]keyRule{}
	for _, r := range rules() {
		k := keyRule{rule: r}
		if r.form != "" {
			k.re = regexp.MustCompile(`^(?:` + r.form + `)$`)
		}
		if k.most == 0 {
			k.most = defaultMost
		}
		byPath[r.path] = k
	}
	return byPath
})
