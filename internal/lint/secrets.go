package lint

import (
	"bytes"
	"context"
	"errors"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/system"
)

// users are the homes of a system, and on Windows the profiles.
func (i *installed) users(ctx context.Context) ([]home, error) {
	if i.kind == system.Linux {
		return i.homes(ctx)
	}
	dirs, err := i.glob(ctx, "/Users/*")
	var homes []home
	for _, dir := range dirs[:min(maxHomes, len(dirs))] {
		homes = append(homes, home{path.Base(dir), dir})
	}
	return homes, err
}

// maxKey bounds a file that may be a private key, bytes.
const maxKey = 64 << 10

// credentials are files below a home in which programs keep what they log in with.
var credentials = []string{
	".netrc", ".git-credentials", ".pgpass", ".aws/credentials", ".azure/msal_token_cache.json", ".config/gcloud/credentials.db",
	".kube/config", ".docker/config.json", ".config/gh/hosts.yml", ".vault-token",
}

// privateKeys looks for keys and credentials of people.
func privateKeys(ctx context.Context, i *installed) ([]Finding, error) {
	homes, err := i.users(ctx)
	var keys, logins []string
	for _, h := range homes {
		names, gerr := i.glob(ctx, h.dir+"/.ssh/*", h.dir+"/.gnupg/private-keys-v1.d/*.key")
		err = errors.Join(err, gerr)
		for _, name := range names {
			if i.isPrivateKey(name) {
				keys = append(keys, name)
			}
		}
		for _, c := range credentials {
			if name := h.dir + "/" + c; i.size(name) > 0 {
				logins = append(logins, name)
			}
		}
	}
	var all []Finding
	if len(keys) > 0 {
		all = append(all, i.found(PrivateKeys, keys[0], "Private keys of users are in the image: %s.", listed(keys)))
	}
	if len(logins) > 0 {
		all = append(all, i.found(Credentials, logins[0], "Programs have stored what users log in with: %s.", listed(logins)))
	}
	return all, err
}

// isPrivateKey looks at the first bytes: all forms that SSH knows begin alike.
func (i *installed) isPrivateKey(name string) bool {
	if size := i.size(name); size == 0 || size > maxKey {
		return false
	}
	if path.Base(path.Dir(name)) == "private-keys-v1.d" {
		return true
	}
	const longest = 64 // of the first line
	head, err := i.Peek(name, longest)
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return err == nil && (bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.Contains(line, []byte("PRIVATE KEY")) || bytes.HasPrefix(line, []byte("PuTTY-User-Key-File")))
}

// rootKeys looks who may log in as root on every machine that gets the image.
func rootKeys(_ context.Context, l *installed) ([]Finding, error) {
	for _, name := range []string{"/root/.ssh/authorized_keys", "/root/.ssh/authorized_keys2"} {
		text, err := l.text(name)
		if err != nil {
			return nil, err
		}
		n := 0
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				n++
			}
		}
		if n > 0 {
			return l.one(RootKeys, name, "SSH keys may log in as root: %d, by %s.", n, name)
		}
	}
	return nil, nil
}

// historyFiles are what shells and their like remember, below a home.
var historyFiles = []string{
	".bash_history", ".zsh_history", ".zhistory", ".ash_history", ".sh_history", ".local/share/fish/fish_history", ".python_history",
	".mysql_history", ".psql_history", ".sqlite_history", ".node_repl_history",
	"AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
}

// histories looks for what users typed, passwords among it.
func histories(ctx context.Context, i *installed) ([]Finding, error) {
	homes, err := i.users(ctx)
	var names []string
	for _, h := range homes {
		for _, f := range historyFiles {
			if name := h.dir + "/" + f; i.size(name) > 0 {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, err
	}
	return []Finding{i.found(Histories, names[0], "What users typed is in the image: %s.", listed(names))}, err
}

// wirelessFiles are where programs keep what opens wireless networks, and how that
// looks there.
var wirelessFiles = []struct {
	patterns []string
	secret   *regexp.Regexp
}{
	{
		[]string{"/etc/NetworkManager/system-connections/*"},
		regexp.MustCompile(`(?m)^\s*(?:psk|wep-key\d|password|password-raw|private-key-password|leap-password)\s*=\s*\S`),
	},
	{[]string{"/etc/wpa_supplicant/*.conf", "/etc/wpa_supplicant.conf"}, regexp.MustCompile(`(?m)^\s*(?:psk|password|sae_password|wep_key\d)\s*=\s*\S`)},
	{[]string{"/var/lib/iwd/*.psk", "/var/lib/iwd/*.8021x"}, regexp.MustCompile(`(?m)^\s*(?:PreSharedKey|Passphrase|SAE-PT-Group\d+|EAP-\S*Password)\s*=\s*\S`)},
	{[]string{"/etc/netplan/*.yaml"}, regexp.MustCompile(`(?s)wifis["']?\s*:.*password["']?\s*:\s*\S`)},
	{[]string{"/etc/network/interfaces", "/etc/network/interfaces.d/*"}, regexp.MustCompile(`(?m)^\s*(?:wpa-psk|wpa-password|wireless-key\d*)\s+\S`)},
	{[]string{"/var/lib/connman/*/settings"}, regexp.MustCompile(`(?m)^\s*Passphrase\s*=\s*\S`)},
}

// wireless looks for keys of wireless networks.
func wireless(ctx context.Context, l *installed) ([]Finding, error) {
	var names []string
	var err error
	for _, w := range wirelessFiles {
		files, gerr := l.glob(ctx, w.patterns...)
		err = errors.Join(err, gerr)
		for _, name := range files {
			text, terr := l.text(name)
			err = errors.Join(err, terr)
			if w.secret.MatchString(text) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return nil, err
	}
	return []Finding{l.found(WirelessKeys, names[0], "Keys of networks, wireless ones or by 802.1X, are stored: %s.", listed(names))}, err
}
