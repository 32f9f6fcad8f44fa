package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// bench is the agents' protocol with a machine that has a job.
type bench struct {
	http.Handler
	control *control.Control
	session string
	job     *wire.Job
}

const macOfTest = "d8:9e:f3:00:00:01"

func newBench(t testing.TB) *bench {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	records, err := db.Open(ctx, "", nil)
	must(err)
	s, err := store.OpenOrCreate(ctx, &mem.Backend{})
	must(err)
	_, err = capturetest.Capture(ctx, s, "lab:v1", capturetest.Disk(capturetest.Small, 64<<10, 1))
	must(err)
	ctl, err := control.New(control.Config{
		Records: records, Images: &images{store: s}, Profiles: t.TempDir(), NextWait: time.Millisecond,
		Cost: control.PasswordCost{Memory: 8, Time: 1, Threads: 1},
	})
	must(err)
	t.Cleanup(func() {
		ctl.Close()
		records.Close()
	})
	log := slog.New(slog.DiscardHandler)
	b := &bench{control: ctl, Handler: (&agents{ctl, log, newRefused(log)}).handler()}

	admin := fleet.Actor{Kind: "user", Name: "anna", Role: fleet.Admin}
	inv := wire.Inventory{NICs: []wire.NIC{{Name: "eno1", MAC: macOfTest}}, Disks: []wire.Disk{{Path: "/dev/sda", Serial: "S1", Size: 1 << 30, Sector: 512}}}
	inv.Serial, inv.Maker, inv.MACs = "5XK1", "Dell Inc.", []string{macOfTest}
	secret, err := ctl.EnrolSecret(ctx, macOfTest)
	must(err)
	w, err := ctl.Hello(ctx, wire.Hello{Protocol: wire.Version, Secret: secret, Boot: "boot-0001", Inventory: inv}, "192.0.2.1")
	must(err)
	b.session = w.Session
	must(ctl.Approve(ctx, admin, []string{w.Machine}, nil))
	_, err = ctl.Submit(ctx, admin, fleet.BatchSpec{Kind: wire.Deploy, Image: "lab:v1", Machines: []string{w.Machine}, Attempts: fleet.MaxAttempts})
	must(err)
	order, err := ctl.Next(ctx, b.session, "192.0.2.1")
	must(err)
	if b.job = order.Job; b.job == nil {
		t.Fatal("there is no job")
	}
	return b
}

func (b *bench) ask(method, path, session string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, strings.Replace(path, "{job}", b.job.ID, 1), bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+session)
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// FuzzAgentProtocol sends anything to every path of the protocol, as a machine that has
// a job. The answer is JSON and one of the statuses of the protocol; the server's own
// trouble is none of them.
func FuzzAgentProtocol(f *testing.F) {
	for i, v := range []any{
		wire.Hello{Protocol: wire.Version, Boot: "boot-0002", Inventory: wire.Inventory{Notes: []string{"x"}}}, struct{}{},
		wire.Report{Attempt: 1, Seq: 1, Progress: wire.Progress{Phase: "deploy", Done: 1, Total: 2}, Log: []wire.LogLine{{Text: "x\x00y"}}},
		wire.Result{Attempt: 1, Outcome: wire.Done, Target: wire.Complete, Detail: json.RawMessage(`{"a":[1]}`)},
		wire.Result{Attempt: 1, Outcome: wire.Failed, Retry: true, Error: "x"},
	} {
		text, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), text)
	}
	f.Add(uint8(3), []byte(`{"attempt":-1,"outcome":"","exit":-9223372036854775808,"time":{"total":-1e308}}`))
	paths := []string{wire.HelloPath, wire.NextPath, wire.ReportPath, wire.FinishPath}
	known := []int{200, 400, 401, 403, 404, 409, 413, 422, 429}
	b := newBench(f)
	f.Fuzz(func(t *testing.T, path uint8, body []byte) {
		w := b.ask(http.MethodPost, paths[int(path)%len(paths)], b.session, body)
		if !slices.Contains(known, w.Code) {
			t.Errorf("%d: %s", w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("the answer is no JSON: %s", w.Body)
		}
	})
}

// TestLateBodies: a body that does not come in time is given up, while one that was
// read leaves no deadline that would end a long answer.
func TestLateBodies(t *testing.T) {
	var asked []time.Time
	w := &timedWriter{ResponseRecorder: httptest.NewRecorder(), deadlines: &asked}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			t.Error(err)
		}
	})).ServeHTTP(w, r)
	if n := len(asked); n < 2 || time.Until(asked[0]) > pieceWithin || !asked[n-1].IsZero() {
		t.Errorf("deadlines of a body: %v", asked)
	}
}

// timedWriter keeps the read deadlines that it is given.
type timedWriter struct {
	*httptest.ResponseRecorder
	deadlines *[]time.Time
}

func (w *timedWriter) SetReadDeadline(t time.Time) error {
	*w.deadlines = append(*w.deadlines, t)
	return nil
}
