// Package db keeps what a server knows: control.Records in SQLite, which needs no
// installation, or in PostgreSQL, for sites that have one.
//
// It owns the schema (migrations), the SQL, and what a transaction is; it refuses a
// database whose schema is newer than it knows, and has no opinion on what is kept:
// values come from package fleet and go back as they were. Start at Open. Both
// databases are held to one behaviour by the suite of package dbtest.
//
// SQLite has one writer at a time, so there is one connection that writes, and some
// that read beside it (write-ahead log). It waits for the disk at every commit
// (synchronous=FULL): a job that was reported as done is done after a power cut.
// That is one flush for each transaction, which a hundred reports a second can
// afford.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
)

// DB is an open database. Its methods may be called by several goroutines.
type DB struct {
	records
	closers []func() error
}

var _ control.Records = (*DB)(nil)

// A pool is the connections of a database.
type pool struct {
	dialect
	writers, readers *sql.DB
	log              *slog.Logger
}

// A dialect is in what databases differ.
type dialect struct {
	postgres bool
	// transient: the transaction met another one and may be run again.
	transient func(error) bool
}

// Open opens a database and brings its schema up to date. url is a file's path or
// "sqlite:" and a path, which is made with its contents readable by its owner
// alone; or "postgres://user:password@host/name?sslmode=..." for a database that
// exists. "" is a file that is removed by Close, for tests. log may be nil.
func Open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	db, err := open(ctx, url, log)
	if err != nil {
		return nil, err
	}
	if err := db.pool.migrate(ctx, known()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func open(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, url, log)
	case scheme == "sqlite":
		return openSQLite(ctx, rest, log)
	case strings.Contains(url, "://"):
		return nil, fmt.Errorf("open the database: %s:// is not known; want postgres://..., or a file's path", scheme)
	}
	return openSQLite(ctx, url, log)
}

// Close ends all connections.
func (db *DB) Close() error {
	var failed []error
	for _, end := range db.closers {
		failed = append(failed, end())
	}
	return errors.Join(failed...)
}
