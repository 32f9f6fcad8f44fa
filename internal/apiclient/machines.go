package apiclient

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// pageSize is how much of a long list is asked for at once.
const pageSize = 500

// Machines are all machines that a filter lets through; its Offset and Limit do not
// matter.
func (c *Client) Machines(ctx context.Context, f control.MachineFilter) ([]message.Machine, error) {
	q := query("search", f.Search, "state", f.State, "group", f.Group, "maker", f.Maker, "sort", f.Sort, "limit", pageSize)
	if f.Online != nil {
		q.Set("online", strconv.FormatBool(*f.Online))
	}
	return all(func(offset int) (message.List[message.Machine], error) {
		q.Set("offset", strconv.Itoa(offset))
		return get[message.List[message.Machine]](ctx, c, q, "machines")
	})
}

// all is a list, put together from its pages.
func all[T any](page func(offset int) (message.List[T], error)) ([]T, error) {
	items := []T{}
	for {
		p, err := page(len(items))
		if err != nil {
			return nil, err
		}
		items = append(items, p.Items...)
		if len(p.Items) == 0 || len(items) >= p.Total {
			return items, nil
		}
	}
}

// Machine finds a machine by its ID or name.
func (c *Client) Machine(ctx context.Context, machine string) (message.Machine, error) {
	return get[message.Machine](ctx, c, nil, "machines", machine)
}

// Approve lets machines have jobs; names are new names of some of them.
func (c *Client) Approve(ctx context.Context, machines []string, names map[string]string) error {
	return c.post(ctx, message.Approve{Machines: machines, Names: names}, "machines", "approve")
}

// Reject keeps machines from having jobs.
func (c *Client) Reject(ctx context.Context, machines []string) error {
	return c.post(ctx, message.Machines{Machines: machines}, "machines", "reject")
}

// Forget removes machines.
func (c *Client) Forget(ctx context.Context, machines []string) error {
	return c.post(ctx, message.Machines{Machines: machines}, "machines", "forget")
}

// Wake wakes machines.
func (c *Client) Wake(ctx context.Context, machines []string) error {
	return c.post(ctx, message.Machines{Machines: machines}, "machines", "wake")
}

// Rename gives a machine another name.
func (c *Client) Rename(ctx context.Context, machine, name string) error {
	return c.put(ctx, message.Name{Name: name}, "machines", machine, "name")
}

// SetHostname sets the host name that deploys give a machine.
func (c *Client) SetHostname(ctx context.Context, machine, hostname string) error {
	return c.put(ctx, message.Hostname{Hostname: hostname}, "machines", machine, "hostname")
}

// SetValues replaces a machine's values for placeholders.
func (c *Client) SetValues(ctx context.Context, machine string, values map[string]string) error {
	return c.put(ctx, message.Values{Values: values}, "machines", machine, "values")
}

// SetNotes replaces what people wrote about a machine.
func (c *Client) SetNotes(ctx context.Context, machine, notes string) error {
	return c.put(ctx, message.Notes{Notes: notes}, "machines", machine, "notes")
}

// ImportMachines makes the machines of a table known.
func (c *Client) ImportMachines(ctx context.Context, csv io.Reader) (control.ImportReport, error) {
	var report control.ImportReport
	err := c.call(ctx, request{method: http.MethodPost, path: []string{"machines", "import"}, raw: csv, kind: "text/csv"}, &report)
	return report, err
}

// Groups are all groups.
func (c *Client) Groups(ctx context.Context) ([]fleet.Group, error) {
	return items(get[message.List[fleet.Group]](ctx, c, nil, "groups"))
}

func items[T any](l message.List[T], err error) ([]T, error) { return l.Items, err }

// PutGroup makes a group, or replaces its notes.
func (c *Client) PutGroup(ctx context.Context, name, notes string) error {
	return c.put(ctx, message.Notes{Notes: notes}, "groups", name)
}

// RemoveGroup removes a group; its machines stay.
func (c *Client) RemoveGroup(ctx context.Context, name string) error {
	return c.remove(ctx, "groups", name)
}

// Join puts machines into a group.
func (c *Client) Join(ctx context.Context, group string, machines []string) error {
	return c.post(ctx, message.Machines{Machines: machines}, "groups", group, "join")
}

// Leave takes machines out of a group.
func (c *Client) Leave(ctx context.Context, group string, machines []string) error {
	return c.post(ctx, message.Machines{Machines: machines}, "groups", group, "leave")
}

// Rules are all rules that approve machines.
func (c *Client) Rules(ctx context.Context) ([]fleet.Rule, error) {
	return items(get[message.List[fleet.Rule]](ctx, c, nil, "rules"))
}

// AddRule makes a rule.
func (c *Client) AddRule(ctx context.Context, rule message.NewRule) (fleet.Rule, error) {
	return post[fleet.Rule](ctx, c, rule, "rules")
}

// RemoveRule removes a rule.
func (c *Client) RemoveRule(ctx context.Context, id string) error { return c.remove(ctx, "rules", id) }
