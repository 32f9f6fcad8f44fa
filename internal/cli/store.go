package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
)

// maker opens a store, and makes it where there is none.
type maker func(context.Context, store.Backend) (*store.Store, error)

// openStore opens the store that --store, INGOT_STORE or the default names.
// create says whether one is made where there is none.
func (a *App) openStore(ctx context.Context, create bool) (*store.Store, error) {
	if !create {
		return a.openStoreAt(ctx, a.storeURL, nil)
	}
	return a.openStoreAt(ctx, a.storeURL, store.OpenOrCreate)
}

// openImage opens the store that openStore does, and finds an image in it.
func (a *App) openImage(ctx context.Context, ref string) (*store.Store, catalog.Image, error) {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return nil, catalog.Image{}, err
	}
	img, err := catalog.Find(ctx, s, ref)
	return s, img, err
}

// openStoreLike opens the store at url, and makes one where there is none to
// which images can be copied from a store with the given Config.
func (a *App) openStoreLike(ctx context.Context, url string, like store.Config) (*store.Store, error) {
	return a.openStoreAt(ctx, url, func(ctx context.Context, b store.Backend) (*store.Store, error) {
		return store.OpenOrCreateLike(ctx, b, like)
	})
}

// openStoreAt opens the store at url; "" is what openStore opens. Where there is
// none, create makes one, unless it is nil.
func (a *App) openStoreAt(ctx context.Context, url string, create maker) (*store.Store, error) {
	if url == "" {
		url = os.Getenv("INGOT_STORE")
	}
	if strings.HasPrefix(url, "https://") {
		return a.openRemote(ctx, url)
	}
	folder, err := storeFolder(url)
	if err != nil {
		return nil, err
	}
	s, made, err := openFolder(ctx, folder, create)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", folder, err)
	}
	if made {
		a.Note("made a new store in %s", folder)
	}
	return s, nil
}

func openFolder(ctx context.Context, folder string, create maker) (s *store.Store, made bool, err error) {
	there, err := holdsStore(folder)
	if err != nil {
		return nil, false, err
	}
	if !there && create == nil {
		return nil, false, store.ErrNoStore
	}
	b, err := local.Open(folder)
	if err != nil {
		return nil, false, err
	}
	if there {
		s, err = store.Open(ctx, b)
	} else {
		s, err = create(ctx, b)
	}
	return s, !there, err
}

// holdsStore reports whether there is a store in folder. A folder that holds
// other things is refused: a store is never made among somebody's files.
func holdsStore(folder string) (bool, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	foreign := ""
	for _, e := range entries {
		switch e.Name() {
		case "config":
			return true, nil
		case "tmp", "lost+found": // an interrupted start; a new file system
		default:
			foreign = e.Name()
		}
	}
	if foreign != "" {
		return false, refuse("the folder is no store and holds other files, such as %s. Name a new or empty folder", foreign)
	}
	return false, nil
}

// storeFolder is the folder that a store URL names; file:// or a plain path.
func storeFolder(url string) (string, error) {
	if url == "" {
		url = os.Getenv("INGOT_STORE")
	}
	if url == "" {
		return defaultStore()
	}
	if path, ok := strings.CutPrefix(url, "file://"); ok {
		url = path
	} else if scheme, _, ok := strings.Cut(url, "://"); ok {
		return "", usageError{fmt.Errorf("a store is a folder or https://SERVER; %s:// is not known", scheme)}
	}
	return filepath.Abs(url)
}

// defaultStore is one folder for the system when root works, else the user's own.
func defaultStore() (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/ingot/store", nil
	}
	if dir := os.Getenv("XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "ingot", "store"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usageError{fmt.Errorf("no place for a store is known (%w); name one with --store", err)}
	}
	return filepath.Join(home, ".local", "share", "ingot", "store"), nil
}

// inStore reports whether path lies in the folder of the store in use.
func (a *App) inStore(path string) bool {
	folder, err := storeFolder(a.storeURL)
	if err != nil {
		return false
	}
	return within(resolve(path), resolve(folder))
}

// within reports whether path is folder or lies below it.
func within(path, folder string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(folder, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// resolve is path without symbolic links, as far as it exists.
func resolve(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir := filepath.Dir(abs); dir != abs {
		return filepath.Join(resolve(dir), filepath.Base(abs))
	}
	return abs
}
