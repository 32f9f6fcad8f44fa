package dbtest

import (
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// testHostileTexts has texts that a database might refuse or take for something
// else. They are read as they were put, but for NUL and broken UTF-8 in what is no
// document.
func testHostileTexts(t *testing.T, r control.Records) {
	ctx := background(t)
	for i, s := range []string{
		"a\x00b", "'; DROP TABLE machines; --", `\`, "%", "$1 ? ?", "\u202egnp", "😀", "e\u0301", "\ufffd", "\u2028", "<b>&amp;", "日本語", strings.Repeat("ä", 63), "\x7f\x1b[31m",
	} {
		m := Machine(i)
		m.Name, m.Notes, m.Hostname, m.Groups, m.Inventory.Model, m.Values = "n"+s, s, s, []string{s}, s, fleet.Values{s: s}
		must(t, r.PutMachine(ctx, m))
		got(t, m)(r.Machine(ctx, m.ID))
		got(t, m)(r.MachineNamed(ctx, m.Name))
		machines, total, err := r.Machines(ctx, control.MachineFilter{Search: s, Group: s, Maker: m.Inventory.Maker})
		if err != nil || total != 1 || len(machines) != 1 {
			t.Errorf("%q: %d machines, %v", s, total, err)
		}
		must(t, r.AddAudit(ctx, fleet.AuditEntry{Object: s}))
		must(t, r.AddJobLog(ctx, s, 1, []wire.LogLine{{Text: s}}, 10))
		log, err := r.JobLog(ctx, s, 0, 10)
		if want := strings.ReplaceAll(s, "\x00", "\ufffd"); err != nil || len(log) != 1 || log[0].Text != want {
			t.Errorf("%q: %+v, %v", s, log, err)
		}
		j := Job("b-a", i)
		j.Result.Error, j.Why = s, s
		must(t, r.PutJob(ctx, j))
		got(t, j)(r.Job(ctx, j.ID))
	}
	must(t, r.PutSetting(ctx, fleet.Setting{Name: "x", Value: "\xff\xfe"}))
	got(t, "\ufffd")(r.Setting(ctx, "x"))
	must(t, r.RemoveGroup(ctx, "'; DROP TABLE machines; --"))
}

func testBigValues(t *testing.T, r control.Records) {
	ctx := background(t)
	big := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	m := Machine(1)
	m.Notes, m.Inventory.Model = big, big[:4096]
	must(t, r.PutMachine(ctx, m))
	got(t, m)(r.Machine(ctx, m.ID))
	must(t, r.PutImageNote(ctx, fleet.ImageNote{Image: "aa", Lint: []byte(big), At: at(0)}))
	got(t, fleet.ImageNote{Image: "aa", Lint: []byte(big), At: at(0)})(r.ImageNote(ctx, "aa"))
	must(t, r.AddJobLog(ctx, "j", 1, []wire.LogLine{{At: at(0), Text: big}}, 1))
	log, err := r.JobLog(ctx, "j", 0, 1)
	if err != nil || len(log) != 1 || log[0].Text != big {
		t.Errorf("%d lines, %v", len(log), err)
	}
	j := Job("b", 1)
	j.Progress.Written, j.Seq = 1<<62, 1<<62
	must(t, r.PutJob(ctx, j))
	got(t, j)(r.Job(ctx, j.ID))
}

func testTimes(t *testing.T, r control.Records) {
	ctx := background(t)
	zone := time.FixedZone("UTC+5:45", 5*3600+45*60)
	told := time.Date(2026, 3, 29, 2, 30, 0, 123_456_789, zone)
	want := time.Date(2026, 3, 28, 20, 45, 0, 123_456_000, time.UTC)
	j := Job("b-a", 1)
	j.Made, j.Lease, j.Ended = told, told, time.Time{}
	must(t, r.PutJob(ctx, j))
	j.Made, j.Lease = want, want
	got(t, j)(r.Job(ctx, j.ID))
	m := Machine(1)
	m.LastSeen, m.FirstSeen = told, time.Time{}
	must(t, r.PutMachine(ctx, m))
	m.LastSeen = want
	got(t, m)(r.Machine(ctx, m.ID))
	must(t, r.PutUser(ctx, fleet.User{Name: "anna", Made: time.Now()})) // with a monotonic clock
	u, err := r.User(ctx, "anna")
	if err != nil || u.Made.Location() != time.UTC || time.Since(u.Made) > time.Minute || u.Made.Nanosecond()%1000 != 0 {
		t.Errorf("%v, %v", u.Made, err)
	}
}

func testAbsent(t *testing.T, r control.Records) {
	ctx := background(t)
	for name, read := range map[string]func() error{
		"machine": func() error { _, err := r.Machine(ctx, "x"); return err },
		"name":    func() error { _, err := r.MachineNamed(ctx, ""); return err },
		"group":   func() error { _, err := r.Group(ctx, "x"); return err },
		"batch":   func() error { _, err := r.Batch(ctx, "x"); return err },
		"job":     func() error { _, err := r.Job(ctx, "x"); return err },
		"user":    func() error { _, err := r.User(ctx, "x"); return err },
		"session": func() error { _, err := r.SessionByHash(ctx, []byte("x")); return err },
		"token":   func() error { _, err := r.Token(ctx, "x"); return err },
		"agent":   func() error { _, err := r.AgentSession(ctx, []byte("x")); return err },
		"secret":  func() error { _, err := r.EnrolSecret(ctx, nil); return err },
		"setting": func() error { _, err := r.Setting(ctx, "x"); return err },
		"note":    func() error { _, err := r.ImageNote(ctx, "x"); return err },
	} {
		t.Run(name, func(t *testing.T) { absent(t, read()) })
	}
	for name, list := range map[string]func() (int, error){
		"machines": func() (int, error) { l, n, err := r.Machines(ctx, control.MachineFilter{}); return len(l) + n, err },
		"batches":  func() (int, error) { l, n, err := r.Batches(ctx, control.BatchFilter{}); return len(l) + n, err },
		"jobs":     func() (int, error) { l, n, err := r.Jobs(ctx, control.JobFilter{}); return len(l) + n, err },
		"open":     func() (int, error) { l, err := r.OpenJobs(ctx, "x"); return len(l), err },
		"groups":   func() (int, error) { l, err := r.Groups(ctx); return len(l), err },
		"users":    func() (int, error) { l, err := r.Users(ctx); return len(l), err },
		"audit":    func() (int, error) { l, err := r.Audit(ctx, control.Page{}); return len(l), err },
		"names":    func() (int, error) { l, err := r.MachineNames(ctx, nil); return len(l), err },
		"counts":   func() (int, error) { l, err := r.JobCounts(ctx); return len(l), err },
		"machine counts": func() (int, error) {
			c, err := r.MachineCounts(ctx, at(0))
			return len(c.State) + c.Online, err
		},
	} {
		if n, err := list(); n != 0 || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}
