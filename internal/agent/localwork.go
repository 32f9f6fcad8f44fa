package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// ingot runs a command of the program on the terminal.
func (a *Agent) ingot(ctx context.Context, t *terminal, env []string, args ...string) error {
	return t.run(ctx, env, append(a.Program[:len(a.Program):len(a.Program)], args...)...)
}

// ingotSays runs one whose words on the terminal say all about its failure.
func (a *Agent) ingotSays(ctx context.Context, t *terminal, env []string, args ...string) error {
	t.print("\n# ingot %s\n\n", strings.Join(args, " "))
	if err := a.ingot(ctx, t, env, args...); err != nil {
		return fmt.Errorf("'ingot %s' did not succeed: %w", args[0], err)
	}
	return nil
}

func (a *Agent) deployMenu(ctx context.Context, t *terminal) error {
	s, err := a.openStore(ctx, t, false)
	if err != nil {
		return err
	}
	defer s.close()
	image, err := a.askImage(ctx, t, s)
	if err != nil {
		return err
	}
	disk, err := a.askDisk(ctx, t, "Onto which disk? ALL that is on it will be lost.")
	if err != nil {
		return err
	}
	name, err := t.ask("Host name (Enter: as in the image)?")
	if err != nil {
		return err
	}
	args := []string{"deploy", image, disk.Path, "--store", s.url}
	if name != "" {
		args = append(args, "--hostname", name)
	}
	return a.planned(ctx, t, s.env, args)
}

// askImage lists a store's images, and asks for one.
func (a *Agent) askImage(ctx context.Context, t *terminal, s source) (string, error) {
	if err := a.ingotSays(ctx, t, s.env, "images", "--store", s.url); err != nil {
		return "", err
	}
	return t.must("Which image (NAME or NAME:TAG)?")
}

// planned shows the plan of a command, and runs it when somebody accepts it.
func (a *Agent) planned(ctx context.Context, t *terminal, env, args []string) error {
	if err := a.ingotSays(ctx, t, env, append(args[:len(args):len(args)], "--dry-run")...); err != nil {
		return err
	}
	t.print("\n")
	if err := t.confirm(); err != nil {
		return err
	}
	return a.ingotSays(ctx, t, env, append(args[:len(args):len(args)], "--yes")...)
}

func (a *Agent) captureMenu(ctx context.Context, t *terminal) error {
	disk, err := a.askDisk(ctx, t, "Which disk shall be captured? It is only read.")
	if err != nil {
		return err
	}
	s, err := a.openStore(ctx, t, true)
	if err != nil {
		return err
	}
	defer s.close()
	name, err := t.must("Name of the image (NAME or NAME:TAG)?")
	if err != nil {
		return err
	}
	return a.ingotSays(ctx, t, s.env, "capture", disk.Path, name, "--store", s.url)
}

func (a *Agent) cloneMenu(ctx context.Context, t *terminal) error {
	from, err := a.askDisk(ctx, t, "Which disk shall be cloned? It is only read.")
	if err != nil {
		return err
	}
	to, err := a.askDisk(ctx, t, "Onto which disk? ALL that is on it will be lost.")
	if err != nil {
		return err
	}
	return a.planned(ctx, t, nil, []string{"clone", from.Path, to.Path})
}

func (a *Agent) compareMenu(ctx context.Context, t *terminal) error {
	s, err := a.openStore(ctx, t, false)
	if err != nil {
		return err
	}
	defer s.close()
	image, err := a.askImage(ctx, t, s)
	if err != nil {
		return err
	}
	disk, err := a.askDisk(ctx, t, "Which disk?")
	if err != nil {
		return err
	}
	return a.ingotSays(ctx, t, s.env, "compare", image, disk.Path, "--store", s.url)
}

// must asks for a word; without one the dialogue ends. A flag is none.
func (t *terminal) must(question string) (string, error) {
	answer, err := t.ask(question)
	if err == nil && (answer == "" || strings.HasPrefix(answer, "-")) {
		err = errBack
	}
	return answer, err
}

// askDisk shows the disks as they are now and asks for one.
func (a *Agent) askDisk(ctx context.Context, t *terminal, question string) (wire.Disk, error) {
	_ = a.look(ctx) // it tells
	disks := a.facts().Disks
	if len(disks) == 0 {
		return wire.Disk{}, errors.New(others(nil))
	}
	t.print("\n%s\n", question)
	for i, d := range disks {
		t.print("  %2d  %s\n", i+1, cut(diskLine(d), columns-8))
	}
	answer, err := t.ask("Number, or Enter to go back:")
	if err != nil {
		return wire.Disk{}, err
	}
	i, ok := number(answer, len(disks))
	if !ok {
		return wire.Disk{}, errBack
	}
	return disks[i], nil
}

// A source is a store that the menu works with.
type source struct {
	url   string
	env   []string
	close func()
}

// openStore asks where images are: on a disk or stick, in a folder, at the server.
func (a *Agent) openStore(ctx context.Context, t *terminal, write bool) (source, error) {
	t.print("\nWhere are the images?\n   1  on a disk, stick or partition of this machine\n   2  in a folder (mounted by hand in the shell)\n   3  on an ingot server\n")
	answer, err := t.ask("Number, or Enter to go back:")
	if err != nil {
		return source{}, err
	}
	switch answer {
	case "1":
		return a.deviceStore(ctx, t, write)
	case "2":
		dir, err := t.must("Folder?")
		return source{url: dir, close: func() {}}, err
	case "3":
		return a.serverStore(t)
	}
	return source{}, errBack
}

// serverStore asks for a token, which goes into the environment alone.
func (a *Agent) serverStore(t *terminal) (source, error) {
	url := a.Config.Server
	fingerprint := a.Config.Fingerprint
	var err error
	if url == "" {
		if url, err = t.must("The server's address (https://HOST:8443)?"); err != nil {
			return source{}, err
		}
		if fingerprint, err = t.must("Its fingerprint, as 'ingot serve' prints it?"); err != nil {
			return source{}, err
		}
	}
	token, err := t.must("A token for it (made on its page 'Tokens')?")
	t.clear() // the token is on the screen
	return source{url: url, env: []string{"INGOT_TOKEN=" + token, "INGOT_FINGERPRINT=" + fingerprint}, close: func() {}}, err
}

// deviceStore mounts a partition for the time of the work.
func (a *Agent) deviceStore(ctx context.Context, t *terminal, write bool) (source, error) {
	t.print("\n")
	if err := a.ingot(ctx, t, nil, "disks"); err != nil {
		return source{}, err
	}
	device, err := t.must("Which partition or disk (like /dev/sdb1)?")
	if err != nil {
		return source{}, err
	}
	if !strings.HasPrefix(device, "/") {
		device = "/dev/" + device
	}
	dir := filepath.Join(a.Work, "store")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return source{}, err
	}
	if _, err := (tool.Command{Name: tool.Mount, Args: []string{device, dir}}).Run(ctx); err != nil {
		return source{}, err
	}
	s := source{url: dir, close: func() {
		_, _ = tool.Command{Name: tool.Umount, Args: []string{dir}}.Run(context.WithoutCancel(ctx))
	}}
	if found := a.findStore(ctx, dir); found != "" {
		s.url = found
		return s, nil
	}
	if write {
		s.url = filepath.Join(dir, "ingot")
		t.print("There is no store yet: the folder 'ingot' on %s becomes one.\n", device)
		return s, nil
	}
	s.close()
	return source{}, fmt.Errorf("no store is on %s, in its first folder or one below", device)
}

// findStore looks for a store in a folder and in those right below.
func (a *Agent) findStore(ctx context.Context, dir string) string {
	places := []string{dir}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && len(places) < 50 {
			places = append(places, filepath.Join(dir, e.Name()))
		}
	}
	for _, p := range places {
		e := a.child.run(ctx, []string{"images", "--json", "--store", p}, func(wire.Progress) {}, func(string) {})
		if e.code == wire.ExitDone {
			return p
		}
	}
	return ""
}
