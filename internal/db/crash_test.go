package db_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/db/dbtest"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// crashing is the environment variable that makes the test program the one that is
// killed: the database's file, a colon, and the first number.
const crashing = "INGOT_DB_CRASH"

func TestMain(m *testing.M) {
	if what, ok := os.LookupEnv(crashing); ok {
		fmt.Fprintln(os.Stderr, writeForEver(what))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver says each number when what belongs to it was written.
func writeForEver(what string) error {
	path, first, _ := cutLast(what)
	d, err := db.Open(context.Background(), path, nil)
	if err != nil {
		return err
	}
	for i := first; ; i++ {
		err := d.InTx(context.Background(), func(ctx context.Context, r control.Records) error {
			if err := r.PutJob(ctx, dbtest.Job("b-a", i)); err != nil {
				return err
			}
			return r.AddAudit(ctx, fleet.AuditEntry{Action: "job", Object: strconv.Itoa(i)})
		})
		if err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func cutLast(s string) (path string, n int, err error) {
	dir, name := filepath.Split(s)
	n, err = strconv.Atoi(name)
	return filepath.Clean(dir), n, err
}

// TestKilled kills a process that writes, again and again, and looks whether all
// that it said to have written is there, and whole.
func TestKilled(t *testing.T) {
	path, next := filepath.Join(t.TempDir(), "ingot.db"), 0
	for round := range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s/%d", crashing, path, next))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var stop *time.Timer
		for lines.Scan() {
			if stop == nil {
				stop = time.AfterFunc(time.Duration(20+round*37)*time.Millisecond, func() { _ = cmd.Process.Kill() })
			}
			if next, err = strconv.Atoi(lines.Text()); err != nil {
				t.Fatal(err)
			}
			next++
		}
		_ = cmd.Wait() // killed
		if stop == nil {
			t.Fatal("the process wrote nothing")
		}
		next = readAll(t, path, next)
	}
	t.Logf("%d transactions", next)
}

// readAll fails the test unless the records up to next are there, and maybe one
// more that the process did not come to say. It returns the next number.
func readAll(t *testing.T, path string, next int) int {
	d := open(t, path)
	defer d.Close()
	jobs, total, err := d.Jobs(t.Context(), control.JobFilter{Batch: "b-a"})
	if err != nil || total != len(jobs) || total != next && total != next+1 {
		t.Fatalf("%d jobs, %d were said to be written; %v", total, next, err)
	}
	for i, j := range jobs {
		if j.Order != i {
			t.Fatalf("job %d is missing", i)
		}
	}
	log, err := d.Audit(t.Context(), control.Page{Limit: total + 1})
	if err != nil || len(log) != total {
		t.Fatalf("%d audit entries for %d jobs: a transaction is there in part; %v", len(log), total, err)
	}
	return total
}
