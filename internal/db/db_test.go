package db_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/db/dbtest"
)

func TestSQLite(t *testing.T) {
	dbtest.Run(t, func(t *testing.T) control.Records {
		return open(t, filepath.Join(t.TempDir(), "a ?&%20#.db"))
	})
}

func TestPostgres(t *testing.T) {
	next := databases(t)
	dbtest.Run(t, func(t *testing.T) control.Records { return open(t, next(t)) })
}

func open(t testing.TB, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// databases starts PostgreSQL and returns what makes an empty database there and
// returns its URL.
func databases(t testing.TB) func(t testing.TB) string {
	server := dbtest.Postgres(t)
	admin, err := sql.Open("pgx", server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close() })
	var n atomic.Int64
	return func(t testing.TB) string {
		name := fmt.Sprintf("db%d", n.Add(1))
		if _, err := admin.ExecContext(context.Background(), "CREATE DATABASE "+name); err != nil {
			t.Fatal(err)
		}
		own := url.URL(*server)
		own.Path = "/" + name
		return own.String()
	}
}
