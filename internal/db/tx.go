package db

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// records are control.Records, inside of a transaction or, with a nil tx, outside
// of any.
type records struct {
	pool *pool
	tx   *sql.Tx
}

// InTx runs f in a transaction; inside of one it is part of that.
func (r records) InTx(ctx context.Context, f func(ctx context.Context, r control.Records) error) error {
	return r.within(ctx, func(r records) error { return f(ctx, r) })
}

func (r records) within(ctx context.Context, f func(r records) error) error {
	if r.tx != nil {
		return f(r)
	}
	return r.pool.inTx(ctx, func(tx *sql.Tx) error { return f(records{r.pool, tx}) })
}

// write runs f in a transaction, the one that r is in or its own.
func (r records) write(ctx context.Context, f func(q query) error) error {
	return r.within(ctx, func(r records) error { return f(r.query(r.tx)) })
}

func (r records) query(conn conn) query { return query{r.pool.dialect, conn} }

// read runs f with one state of the database, whatever is written meanwhile.
func (r records) read(ctx context.Context, f func(q query) error) error {
	if r.tx != nil {
		return f(r.query(r.tx))
	}
	options := &sql.TxOptions{ReadOnly: r.pool.postgres}
	if r.pool.postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := r.pool.readers.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback() // there is nothing to undo
	return f(r.query(tx))
}

// reader is for reads of one statement.
func (r records) reader() query {
	if r.tx != nil {
		return r.query(r.tx)
	}
	return r.query(r.pool.readers)
}

const (
	// hopeful is how many times transactions that meet others are run beside them,
	// before they get the database for themselves.
	hopeful = 3
	// tries is how many times they are run at most. The last ones meet nobody but
	// other processes.
	tries = 10
)

// inTx runs f in a transaction, again when that met another one.
func (p *pool) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	for try := 1; ; try++ {
		err := p.once(ctx, try > hopeful, f)
		if err != nil && ctx.Err() != nil {
			return errors.Join(ctx.Err(), err) // the package sql may say only that the transaction is over
		}
		if err == nil || try == tries || !p.transient(err) {
			return err
		}
		p.log.Debug("a transaction met another one and is run again", "try", try, "error", err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(time.Duration(rand.Int64N(int64(try) * int64(5*time.Millisecond)))):
		}
	}
}

// once runs f in one transaction. SQLite has one writer at a time anyway.
//
// PostgreSQL runs transactions side by side and ends those that could not have run
// one after the other. A long one beside many short ones might be ended again and
// again, so in the end it is run alone: everybody holds the table of migrations in
// a mode that they share, alone takes one that nobody shares. LOCK, unlike SELECT,
// lets a serializable transaction see what was committed while it waited.
func (p *pool) once(ctx context.Context, alone bool, f func(*sql.Tx) error) error {
	options := &sql.TxOptions{}
	if p.postgres {
		options.Isolation = sql.LevelSerializable
	}
	tx, err := p.writers.BeginTx(ctx, options)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit there is nothing to undo, and else f's error says what happened
	if p.postgres {
		mode := "SHARE"
		if alone {
			mode = "EXCLUSIVE"
		}
		if _, err := tx.ExecContext(ctx, `LOCK TABLE migrations IN `+mode+` MODE`); err != nil {
			return err
		}
	}
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}
