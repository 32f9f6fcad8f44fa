// Package apt asks a Debian archive for packages: what it has, and their files.
//
// It runs apt with a state of its own in a temporary folder, so it neither needs nor
// changes the lists and packages of the machine, and works where there are none.
// The machine's settings for proxies hold. Signatures are checked by apt, with the
// keys of debian-archive-keyring; the SHA-256 of every file is checked here.
package apt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/bootenv/deb"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// Debian is where packages come from unless one says otherwise: sources.list(5) in
// the deb822 form. The release is the one whose boot chain is tested.
const Debian = `Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main non-free-firmware
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`

// Archive is an archive whose lists have been fetched.
type Archive struct {
	dir     string
	options []string
	trouble error
}

// Open fetches the lists of an archive for amd64. Lists that could not be fetched
// are no error here, since another list may have all that is needed: see Trouble.
func Open(ctx context.Context, sources string) (*Archive, error) {
	if err := tool.Need(tool.AptGet, tool.AptCache); err != nil {
		return nil, fmt.Errorf("%w; or put the packages into a folder yourself", err)
	}
	dir, err := os.MkdirTemp("", "ingot-apt-")
	if err != nil {
		return nil, err
	}
	a := &Archive{dir: dir}
	if err = a.prepare(sources); err == nil {
		err = a.update(ctx)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// prepare makes the folders and settings of a machine on which nothing is installed.
func (a *Archive) prepare(sources string) error {
	// apt fetches as a user of its own, who must get at the lists.
	if err := os.Chmod(a.dir, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, dir), 0o755); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{"status": "", "archive.sources": sources} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	options := []string{
		"Dir::State=" + filepath.Join(a.dir, "state"),
		"Dir::State::status=" + filepath.Join(a.dir, "status"),
		"Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"Dir::Etc::sourcelist=" + filepath.Join(a.dir, "archive.sources"),
		"Dir::Etc::sourceparts=/dev/null",
		"Dir::Etc::preferences=/dev/null",
		"Dir::Etc::preferencesparts=/dev/null",
		"APT::Architecture=amd64",
		"APT::Architectures=amd64",
		"Acquire::Languages=none",
		"Acquire::Retries=3",
		"Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
		"Acquire::IndexTargets::deb::CNF::DefaultEnabled=false",
	}
	if !everybodysTemp() {
		options = append(options, "APT::Sandbox::User=root")
	}
	for _, o := range options {
		a.options = append(a.options, "-o", o)
	}
	return nil
}

// everybodysTemp reports whether apt's own user can write to the folder for temporary
// files. Where it cannot, apt takes every signature for wrong.
func everybodysTemp() bool {
	info, err := os.Stat(os.TempDir())
	return err == nil && info.Mode().Perm()&0o002 != 0
}

// update fetches the lists. That apt-get fails is kept in trouble, without its many
// options.
func (a *Archive) update(ctx context.Context) error {
	_, err := tool.Command{Name: tool.AptGet, Args: append(a.options, "update")}.Run(ctx)
	var failed *tool.FailedError
	if errors.As(err, &failed) {
		a.trouble = fmt.Errorf("apt-get update failed: %s", strings.TrimSpace(failed.Output))
		return nil
	}
	return err
}

// Trouble is why some lists could not be fetched; nil: all were.
func (a *Archive) Trouble() error { return a.trouble }

// Close removes the lists.
func (a *Archive) Close() error { return os.RemoveAll(a.dir) }

// Find returns the newest version of each package that the archive has.
func (a *Archive) Find(ctx context.Context, names []string) (map[string]deb.Info, error) {
	found := map[string]deb.Info{}
	if len(names) == 0 {
		return found, nil
	}
	var out bytes.Buffer
	args := append(append([]string{}, a.options...), "show", "--no-all-versions", "--")
	// 100: one of them is not there, and the others were shown.
	if _, err := (tool.Command{Name: tool.AptCache, Args: append(args, names...), Out: &out, OK: []int{100}}).Run(ctx); err != nil {
		return nil, err
	}
	infos, err := deb.ParseInfo(&out)
	if err != nil {
		return nil, fmt.Errorf("read what apt-cache says about packages: %w", err)
	}
	for _, i := range infos {
		if i.SHA256 == "" {
			return nil, fmt.Errorf("the archive says no checksum of %s", i.Name)
		}
		found[i.Name] = i
	}
	return found, nil
}

// Fetch puts the files of packages that Find returned into the folder dir, under
// Info.FileName, each checked against what the archive's signed lists say.
func (a *Archive) Fetch(ctx context.Context, packages []deb.Info, dir string) error {
	// apt fetches into its own place first, so that what lies in dir is complete.
	place := filepath.Join(a.dir, "fetched")
	if err := os.MkdirAll(place, 0o777); err != nil {
		return err
	}
	args := append(append([]string{}, a.options...), "download", "--")
	for _, p := range packages {
		args = append(args, p.Name+"="+p.Version)
	}
	if _, err := (tool.Command{Name: tool.AptGet, Args: args, Dir: place}).Run(ctx); err != nil {
		return fmt.Errorf("fetch packages: %w", err)
	}
	for _, p := range packages {
		if err := take(filepath.Join(place, p.FileName()), filepath.Join(dir, p.FileName()), p); err != nil {
			return fmt.Errorf("fetch the package %s: %w", p.Name, err)
		}
	}
	return nil
}

// take copies a file into place when it is the one that was promised.
func take(from, to string, want deb.Info) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".fetched-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), in)
	if got := hex.EncodeToString(sum.Sum(nil)); err == nil && got != want.SHA256 {
		err = fmt.Errorf("its SHA-256 is %s, the archive's list says %s", got, want.SHA256)
	}
	if err == nil {
		err = out.Chmod(0o644)
	}
	if err == nil {
		err = out.Sync()
	}
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}
