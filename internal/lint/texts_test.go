package lint

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/files"
)

// FuzzTexts feeds everything that reads text of an image.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{
		"UUID=1 / ext4 defaults 0 1\n/dev/sda1 none swap\n", "GRUB_CMDLINE_LINUX=\"root=/dev/sda2 resume='UUID=3'\"\n", "HOOKS=(base autodetect\nblock)\n",
		"Package: a\nStatus: install reinstreq half-installed\n", "Status:\n", "MODULES=dep\nhostonly=\"yes\"\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		names := append(append(column(text, 0), column(text, 2)...), arguments(text)...)
		all := (&installed{}).judge(text, append(names, resumesFrom(text)))
		all = append(all, found(PackagesUnfinished, 0, "", "%s", listed(unfinishedPackages(text))))
		autodetect(text)
		assigned("MODULES", "dep")(text)
		for _, n := range append(networkFiles[1:2], networkFiles...) {
			n.bound([]byte(text))
		}
		for _, w := range wirelessFiles {
			w.secret.MatchString(text)
		}
		for _, found := range all {
			if strings.ContainsAny(found.What, "\x1b\n\r") {
				t.Errorf("%q goes to a terminal", found.What)
			}
		}
	})
}

func TestTwins(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"etc/machine-id": "0123", "etc/ssh/ssh_host_rsa_key": "x", "etc/ssh/ssh_host_rsa_key.pub": "x", "var/lib/systemd/random-seed": "", "etc/ssh/sshd_config": "x",
	})
	tree, err := files.Walk(t.Context(), dir, files.WalkOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	if n := Twins(tree.Listing); n != 2 {
		t.Errorf("%d things, want 2", n)
	}
}
