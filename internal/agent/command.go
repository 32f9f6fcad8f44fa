package agent

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// arguments are what a technician would type for a job. disk is a path; profile is
// the file of the job's profile, "" for none. The token is not here: everybody can read
// command lines.
func arguments(job wire.Job, server, disk, profile string) ([]string, error) {
	store := []string{"--store", server, "--json", "--progress", "json"}
	switch job.Kind {
	case wire.Deploy:
		args := append([]string{"deploy", job.Image, disk, "--yes"}, store...)
		return append(args, deployArguments(job.Deploy, profile)...), nil
	case wire.Capture:
		args := append([]string{"capture", disk, job.Image}, store...)
		return append(args, captureArguments(job.Capture)...), nil
	case wire.Verify:
		return append([]string{"compare", job.Image, disk}, store...), nil
	case wire.Wipe:
		if job.Wipe != wire.WipeDiscard && job.Wipe != wire.WipeOverwrite {
			return nil, fmt.Errorf("this agent does not know how to wipe by %q", job.Wipe)
		}
		return []string{"wipe", disk, "--yes", "--method", string(job.Wipe), "--json", "--progress", "json"}, nil
	}
	return nil, fmt.Errorf("this agent does not know jobs of the kind %q: is the boot environment older than the server?", job.Kind)
}

func deployArguments(o *wire.DeployOptions, profile string) []string {
	if o == nil {
		return nil
	}
	var args []string
	text := func(flag, value string) {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	text("--profile", profile)
	text("--hostname", o.Hostname)
	if o.Counter != 0 {
		text("--counter", strconv.Itoa(o.Counter))
	}
	if o.Machines > 1 {
		text("--machines", strconv.Itoa(o.Machines))
	}
	for _, k := range slices.Sorted(maps.Keys(o.Values)) {
		text("--set", k+"="+o.Values[k])
	}
	text("--grow", o.Grow)
	for _, k := range slices.Sorted(maps.Keys(o.FileSystems)) {
		text("--fs", k+"="+o.FileSystems[k])
	}
	text("--free", o.Free)
	for _, f := range []struct {
		set  bool
		flag string
	}{{o.Full, "--full"}, {o.Readback, "--readback"}, {o.NewIDs, "--new-ids"}} {
		if f.set {
			args = append(args, f.flag)
		}
	}
	return args
}

func captureArguments(o *wire.CaptureOptions) []string {
	if o == nil {
		return nil
	}
	var args []string
	if o.Files {
		args = append(args, "--files")
	}
	if o.Raw {
		args = append(args, "--raw")
	}
	for _, e := range o.Exclude {
		args = append(args, "--exclude", e)
	}
	return args
}
