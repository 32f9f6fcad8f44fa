package db

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Batch is the one with an ID.
func (r records) Batch(ctx context.Context, id string) (b fleet.Batch, err error) {
	err = r.read(ctx, func(q query) error {
		if b, err = one(ctx, q, document[fleet.Batch], `SELECT data FROM batches WHERE id = ?`, id); err != nil {
			return err
		}
		return sum(ctx, q, []*fleet.Batch{&b})
	})
	return b, err
}

// Batches are a page of batches.
func (r records) Batches(ctx context.Context, filter control.BatchFilter) (page []fleet.Batch, total int, err error) {
	w := &where{}
	if filter.Open {
		w.add(`live = 1`)
	}
	err = r.read(ctx, func(q query) error {
		if total, err = count(ctx, q, `SELECT COUNT(*) FROM batches`+w.String(), w.args...); err != nil {
			return err
		}
		page, err = list(ctx, q, document[fleet.Batch], `SELECT data FROM batches`+w.String()+` ORDER BY made DESC, id DESC`+pageOf(filter.Offset, filter.Limit), w.args...)
		if err != nil {
			return err
		}
		var batches []*fleet.Batch
		for i := range page {
			batches = append(batches, &page[i])
		}
		return sum(ctx, q, batches)
	})
	return page, total, err
}

// sum counts what the jobs of batches are and did.
func sum(ctx context.Context, q query, batches []*fleet.Batch) error {
	byID := map[string]*fleet.Batch{}
	var ids []string
	for _, b := range batches {
		b.Counts = map[fleet.JobState]int{}
		byID[b.ID] = b
		ids = append(ids, b.ID)
	}
	for portion, args := range portions(ids) {
		_, err := list(ctx, q, func(row scanner) (none struct{}, err error) {
			var id string
			var state fleet.JobState
			var n int
			var written int64
			if err := row(&id, &state, &n, &written); err != nil {
				return none, err
			}
			byID[id].Counts[state] = n
			byID[id].Bytes += written
			return none, nil
		}, `SELECT batch, state, COUNT(*), CAST(SUM(written) AS BIGINT) FROM jobs WHERE batch IN (`+marks(len(portion))+`) GROUP BY batch, state`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// PutBatch keeps a batch.
func (r records) PutBatch(ctx context.Context, b fleet.Batch) error {
	kept(&b.Made, &b.Ended, &b.Spec.At)
	b.Counts, b.Bytes = nil, 0
	data, err := encode(b)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO batches (id, made, live, data) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET made = excluded.made, live = excluded.live, data = excluded.data`,
			b.ID, micros(b.Made), flag(b.Ended.IsZero()), data)
		return err
	})
}

// flag is 1 for true.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
