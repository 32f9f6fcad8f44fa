package db

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db/dbtest"
)

func TestOpenSQLite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ingot.db")
	d, err := Open(t.Context(), "sqlite:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.PutMachine(t.Context(), dbtest.Machine(1)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	for _, conns := range []*sql.DB{d.pool.writers, d.pool.readers} {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000"} {
			var is string
			if err := conns.QueryRow("PRAGMA " + pragma).Scan(&is); err != nil || is != want {
				t.Errorf("%s is %s, want %s; %v", pragma, is, want, err)
			}
		}
	}
	if _, err := d.pool.readers.Exec(`DELETE FROM machines`); err == nil {
		t.Error("a connection that reads has written")
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = Open(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Machine(t.Context(), "m-000001"); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestOpenForAWhile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d, err := Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Machines(t.Context(), control.MachineFilter{}); err != nil {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.db")
	conn, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(`CREATE TABLE theirs (x)`); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		other:                            "another program's database",
		text:                             "not a database",
		filepath.Join(dir, "none", "x"):  "no such file or directory",
		dir:                              "is a directory",
		"mysql://root@localhost/x":       "mysql:// is not known",
		"postgres://u:hidden@[::1/x":     "open the database",
		"postgres://u:hidden@h:99999/x":  "open the database",
		"postgres://u:hidden@h/x?port=y": "open the database",
	} {
		d, err := Open(t.Context(), url, nil)
		if err == nil {
			d.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestOpenTogether(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ingot.db")
	var g errgroup.Group
	for range 4 {
		g.Go(func() error {
			d, err := Open(t.Context(), path, nil)
			if err != nil {
				return err
			}
			return d.Close()
		})
	}
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
}

// TestMigrations holds what a newer program, an older one and a broken step do, in
// both databases.
func TestMigrations(t *testing.T) {
	server := dbtest.Postgres(t)
	wrong := url.URL(*server)
	wrong.User = url.UserPassword("ingot", "hidden")
	if _, err := Open(t.Context(), wrong.String(), nil); err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("a wrong password: %v", err)
	}
	columns := map[string][]string{}
	for name, url := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "ingot.db"), "postgres": server.String()} {
		d, err := Open(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, p := t.Context(), d.pool
		broken := append(known(), migration{2, "0002_broken", "CREATE TABLE half (x INTEGER);\nINSERT INTO nowhere VALUES (1);"})
		if err := p.migrate(ctx, broken); err == nil || !strings.Contains(err.Error(), "0002_broken") {
			t.Errorf("%s: %v", name, err)
		}
		whole := append(known(), migration{2, "0002_next", "CREATE TABLE half (x INTEGER);\nALTER TABLE rules ADD COLUMN more TEXT NOT NULL DEFAULT '';"})
		if err := p.migrate(ctx, whole); err != nil {
			t.Errorf("%s: the broken step left something: %v", name, err)
		}
		if err := p.migrate(ctx, whole); err != nil {
			t.Errorf("%s: again: %v", name, err)
		}
		if columns[name], err = list(ctx, d.reader(), text, map[string]string{
			"sqlite":   `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1`,
			"postgres": `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY (table_name || '.' || column_name) COLLATE "C"`,
		}[name]); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		var newer *NewerSchemaError
		if _, err := Open(ctx, url, nil); !errors.As(err, &newer) || newer.Name != "0002_next" || newer.Version != 2 || newer.Know != 1 {
			t.Errorf("%s: a newer schema: %v", name, err)
		}
	}
	if !slices.Equal(columns["sqlite"], columns["postgres"]) || len(columns["sqlite"]) < 50 {
		t.Errorf("%v\n%v", columns["sqlite"], columns["postgres"])
	}
}
