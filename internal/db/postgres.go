package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	postgresConns = 16
	// postgresStart is how long a server that does not answer is waited for: after a
	// power cut it starts at the same time as ingot.
	postgresStart = 30 * time.Second
	// connectWithin is how long one try may take, where the URL does not say it.
	connectWithin = 10 * time.Second
)

func openPostgres(ctx context.Context, url string, log *slog.Logger) (*DB, error) {
	config, err := pgx.ParseConfig(url) // its errors have no password
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectWithin
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "ingot"
	}
	// A transaction of a server that was cut off must not keep others waiting.
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "60000" // milliseconds
	conns := stdlib.OpenDB(*config)
	conns.SetMaxOpenConns(postgresConns)
	conns.SetMaxIdleConns(postgresConns)
	conns.SetConnMaxIdleTime(5 * time.Minute)
	p := &pool{dialect: dialect{postgres: true, transient: metPostgres}, writers: conns, readers: conns, log: log}
	db := &DB{records: records{pool: p}, closers: []func() error{conns.Close}}
	if err := p.reachPostgres(ctx); err != nil {
		where := fmt.Sprintf("%s on %s", config.Database, config.Host)
		return nil, errors.Join(fmt.Errorf("open the database %s: %w", where, err), db.Close())
	}
	return db, nil
}

// reachPostgres waits for a server that is not there yet. What the server itself
// refuses, such as a password, is final.
func (p *pool) reachPostgres(ctx context.Context) error {
	started := time.Now()
	for {
		var encoding string
		err := p.writers.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding)
		switch {
		case err == nil && encoding != "UTF8":
			return fmt.Errorf("its encoding is %s: make a database with the encoding UTF8", encoding)
		case err == nil:
			return nil
		case refused(err) || time.Since(started) > postgresStart:
			return err
		}
		p.log.Warn("the database does not answer yet", "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(time.Second):
		}
	}
}

// Error codes of PostgreSQL, its manual's appendix A.
const (
	cannotConnectNow     = "57P03"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	uniqueViolation      = "23505"
)

func refused(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code != cannotConnectNow
}

// metPostgres reports whether two transactions met. A name that another one took
// since we looked is such a case: the next try finds it taken.
func metPostgres(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && slices.Contains([]string{serializationFailure, deadlockDetected, uniqueViolation}, said.Code)
}
