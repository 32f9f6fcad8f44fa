package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const gib = 1 << 30

// sample is one run of all agents against one server.
type sample struct {
	rate float64 // MiB/s, all agents together
	cpu  float64 // seconds of the server's processors for each GiB
	peak int64   // bytes resident
}

// table is the rounds of one kind of measurement.
type table struct {
	secure       bool
	work         agentWork
	ingot, nginx []sample
}

func newTable(secure bool, work agentWork) *table { return &table{secure: secure, work: work} }

// measure runs the rounds. The server that is first changes from round to round.
func (t *table) measure(ctx context.Context, o options, r *room, folder string) error {
	for round := range o.rounds {
		for turn := range 2 {
			var err error
			if (round+turn)%2 == 0 {
				err = t.once(ctx, o, r, &t.ingot, func() (*server, error) { return startIngot(ctx, r, t.secure, o.profile) })
			} else {
				err = t.once(ctx, o, r, &t.nginx, func() (*server, error) { return startNginx(ctx, r, t.secure, folder) })
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *table) once(ctx context.Context, o options, r *room, to *[]sample, start func() (*server, error)) error {
	s, err := start()
	if err != nil {
		return err
	}
	bytes, wall, err := fetchAll(ctx, o, r, s.url, t.work)
	c, cerr := s.cost()
	if err := errors.Join(err, cerr, s.stop()); err != nil {
		return err
	}
	*to = append(*to, sample{float64(bytes) / (1 << 20) / wall.Seconds(), c.cpu.Seconds() / (float64(bytes) / gib), c.peak})
	return nil
}

func (t *table) print(w io.Writer) {
	transport := "HTTP without TLS"
	if t.secure {
		transport = "TLS"
	}
	fmt.Fprintf(w, "\n%s; %s\n\n| round | ingot MiB/s | nginx MiB/s | ratio | ingot CPU s/GiB | nginx | ingot peak MiB | nginx |\n|---|---|---|---|---|---|---|---|\n", transport, t.work)
	for i := range t.ingot {
		printRow(w, fmt.Sprint(i+1), t.ingot[i], t.nginx[i], t.ratio(i))
	}
	ratios := make([]float64, len(t.ingot))
	for i := range ratios {
		ratios[i] = t.ratio(i)
	}
	printRow(w, "median", medianOf(t.ingot), medianOf(t.nginx), median(ratios))
}

func (t *table) ratio(i int) float64 { return t.ingot[i].rate / t.nginx[i].rate }

func printRow(w io.Writer, name string, ingot, nginx sample, ratio float64) {
	fmt.Fprintf(w, "| %s | %.0f | %.0f | %.2f | %.2f | %.2f | %d | %d |\n", name, ingot.rate, nginx.rate, ratio, ingot.cpu, nginx.cpu, ingot.peak>>20, nginx.peak>>20)
}

func medianOf(samples []sample) sample {
	var rates, cpus, peaks []float64
	for _, s := range samples {
		rates, cpus, peaks = append(rates, s.rate), append(cpus, s.cpu), append(peaks, float64(s.peak))
	}
	return sample{median(rates), median(cpus), int64(median(peaks))}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}

// describe says what was measured on what.
func describe(ctx context.Context, w io.Writer, o options, r *room) error {
	version, err := exec.CommandContext(ctx, "nginx", "-v").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w (Debian package nginx-light)", err)
	}
	if err := describeMachine(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s\n", strings.TrimSpace(string(version)))
	describeRoom(w, o, r)
	return nil
}

// describeFull is describe for a measure of the whole server.
func describeFull(w io.Writer, o options, r *room) error {
	describeRoom(w, o, r)
	return describeMachine(w)
}

func describeMachine(w io.Writer) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s, %d processors, load before %s\n", time.Now().Format(time.DateOnly), runtime.NumCPU(), strings.Fields(string(load))[0])
	return err
}

func describeRoom(w io.Writer, o options, r *room) {
	fmt.Fprintf(w, "%d agents with %d connections each, %d packs of %d MiB together\n", o.agents, o.readers, len(r.packs), r.bytes>>20)
}
