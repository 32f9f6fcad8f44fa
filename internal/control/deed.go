package control

import (
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// A deed is one action of somebody, for the audit log.
type deed struct {
	actor  fleet.Actor
	need   fleet.Role
	action string // "machine.approve"
	object string // "machine m-abc (lab-07)"
	detail string // never a secret
	more   []done // what else was done by it; with any, the object itself has no entry
	events []Event
	woken  []string // machines whose agents shall ask again
}

// done is what a deed did to one of several objects.
type done struct{ action, object, detail string }

// also says that the deed did the same to one more object.
func (d *deed) also(object, detail string) {
	d.more = append(d.more, done{d.action, object, detail})
}

func (d *deed) event(topic Topic, id string) { d.events = append(d.events, Event{topic, id}) }

// do runs f in a transaction if the actor may, with an audit entry in the same
// transaction, and sends the deed's events afterwards. What was refused or failed
// has its entry too. f may set everything but the actor of its deed, and may run
// more than once, each time with a fresh one.
func (c *Control) do(ctx context.Context, d deed, f func(ctx context.Context, r Records, d *deed) error) error {
	if !d.actor.Role.May(d.need) {
		err := &ForbiddenError{Need: d.need}
		c.refusals.count("role")
		c.note(ctx, d, "refused: "+err.Error())
		return err
	}
	return c.act(ctx, d, f)
}

// act is do for those whose right was found otherwise.
func (c *Control) act(ctx context.Context, d deed, f func(ctx context.Context, r Records, d *deed) error) error {
	var now deed
	err := c.records.InTx(ctx, func(ctx context.Context, r Records) error {
		now = d
		if err := f(ctx, r, &now); err != nil {
			return err
		}
		for _, e := range now.entries(c, "ok") {
			if err := r.AddAudit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		now.more = nil
		c.note(ctx, now, resultOf(err))
		return err
	}
	c.events.send(now.events...)
	c.waiting.wake(now.woken...)
	return nil
}

// look refuses who may not even look.
func look(actor fleet.Actor, need fleet.Role) error {
	if !actor.Role.May(need) {
		return &ForbiddenError{Need: need}
	}
	return nil
}

func (d deed) entries(c *Control, result string) []fleet.AuditEntry {
	all := d.more
	if len(all) == 0 && d.action != "" {
		all = []done{{d.action, d.object, d.detail}}
	}
	actor := d.actor
	actor.Name, actor.Addr = clean(actor.Name, maxName), clean(actor.Addr, maxName)
	var entries []fleet.AuditEntry
	for _, one := range all {
		entries = append(entries, fleet.AuditEntry{
			At: c.now(), Actor: actor, Action: one.action, Object: clean(one.object, maxText), Detail: clean(one.detail, maxText), Result: clean(result, maxText),
		})
	}
	return entries
}

// note keeps the entry of a deed outside of its transaction. That it could not must
// not hide why the deed failed.
func (c *Control) note(ctx context.Context, d deed, result string) {
	for _, e := range d.entries(c, result) {
		if err := c.records.AddAudit(context.WithoutCancel(ctx), e); err != nil {
			c.log.Error("an audit entry was lost", "action", e.Action, "error", err)
		}
	}
}

// resultOf is an error as the audit log has it. Errors of the server itself may tell
// more than whoever reads the log should know.
func resultOf(err error) string {
	if isAnswer(err) {
		return "refused: " + err.Error()
	}
	return "failed: the server's log says why"
}

// isAnswer reports whether an error is one that a caller can do something about.
func isAnswer(err error) bool {
	var (
		notFound  *NotFoundError
		forbidden *ForbiddenError
		invalid   *InvalidError
		invalids  InvalidErrors
		conflict  *ConflictError
		limited   *RateLimitedError
		profile   *ProfileError
	)
	for _, target := range []any{&notFound, &forbidden, &invalid, &invalids, &conflict, &limited, &profile} {
		if errors.As(err, target) {
			return true
		}
	}
	return errors.Is(err, ErrUnauthenticated)
}

// found turns ErrNoRecord into a *NotFoundError.
func found(err error, what, id string) error {
	if errors.Is(err, ErrNoRecord) {
		return &NotFoundError{What: what, ID: clean(id, maxName)}
	}
	return err
}
