package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

const (
	// sqliteReaders is how many lists can be read at once, beside the one writer.
	sqliteReaders = 4
	// busyMillis is how long a connection waits for another process that writes, as
	// when somebody looks into the file with another program.
	busyMillis = 10_000
	// cacheKiB is what a connection remembers of the file: the columns by which ten
	// thousand machines are searched.
	cacheKiB = 8 << 10
	// walBytes is what the log is cut back to when it was checkpointed.
	walBytes = 64 << 20
)

func openSQLite(ctx context.Context, path string, log *slog.Logger) (*DB, error) {
	db := &DB{}
	if path == "" {
		dir, err := os.MkdirTemp("", "ingot-db-")
		if err != nil {
			return nil, fmt.Errorf("open a database for a while: %w", err)
		}
		path = filepath.Join(dir, "ingot.db")
		defer func() { db.closers = append(db.closers, func() error { return os.RemoveAll(dir) }) }()
	}
	// It holds hashes of passwords. SQLite gives its log the mode of the file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	p := &pool{dialect: dialect{transient: func(error) bool { return false }}, log: log}
	if p.writers, err = sql.Open("sqlite", sqliteURL(path, "_txlock=immediate")); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	p.writers.SetMaxOpenConns(1)
	if p.readers, err = sql.Open("sqlite", sqliteURL(path, "_pragma=query_only(1)")); err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	p.readers.SetMaxOpenConns(sqliteReaders)
	p.readers.SetMaxIdleConns(sqliteReaders)
	db.records = records{pool: p}
	db.closers = append(db.closers, p.readers.Close, p.writers.Close)
	if err := p.ownSQLite(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", path, err), db.Close())
	}
	return db, nil
}

// sqliteURL is a file's name as the driver wants it, with what each connection has.
func sqliteURL(path, more string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = fmt.Sprintf("_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"+
		"&_pragma=foreign_keys(1)&_pragma=cache_size(-%d)&_pragma=journal_size_limit(%d)&%s", busyMillis, cacheKiB, walBytes, more)
	return u.String()
}

// ownSQLite refuses the file of another program, before anything is written to it.
func (p *pool) ownSQLite(ctx context.Context) error {
	var tables, ours int
	err := p.writers.QueryRowContext(ctx,
		`SELECT COUNT(*), COALESCE(SUM(name = 'migrations'), 0) FROM sqlite_master WHERE type = 'table'`).Scan(&tables, &ours)
	if err == nil && tables > 0 && ours == 0 {
		return errors.New("the file is another program's database; nothing in it was changed")
	}
	return err
}
