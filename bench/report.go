package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// bar is a goal: mine divided by theirs, in the same round, is at most limit.
type bar struct {
	what         string
	mine, theirs string // steps
	of           metric
	limit        float64
}

// metric is one number of a sample, and how it is printed.
type metric struct {
	of   func(sample) float64
	unit string
}

var (
	wall = metric{func(s sample) float64 { return s.wall.Seconds() }, "s"}
	size = metric{func(s sample) float64 { return float64(s.size) / mib }, "MiB"}
	peak = metric{func(s sample) float64 { return float64(s.peak) / mib }, "MiB"}
)

var bars = [...]bar{
	{"first capture / partclone + zstd -1", ingotCapture, partcloneSave, wall, 0.65},
	{"capture of the unchanged disk / first capture", ingotAgain, ingotCapture, wall, 0.30},
	{"restore to a blank disk / partclone", ingotDeploy, partcloneRestore, wall, 0.38},
	{"deploy onto the later state / partclone's full restore", ingotRedeploy, partcloneRestore, wall, 0.15},
	{"verify an image / partclone's full restore", ingotVerify, partcloneRestore, wall, 0.12},
	{"compare with a disk / partclone's full restore", ingotCompare, partcloneRestore, wall, 0.12},
	{"store / partclone + zstd -1", ingotCapture, partcloneSave, size, 1.04},
	{"files: capture / fsarchiver", ingotFiles, fsarchiverSave, wall, 1},
	{"files: capture / wimlib", ingotFiles, wimlibCapture, wall, 1},
	{"files: make them / fsarchiver", ingotExtract, fsarchiverRest, wall, 1},
	{"files: make them / wimlib", ingotExtract, wimlibApply, wall, 1},
}

// peakBars are limits of resident memory in MiB.
var peakBars = [...]struct {
	step  string
	limit float64
}{{ingotCapture, 256}, {ingotDeploy, 192}, {ingotFiles, 384}, {ingotExtract, 384}}

// growthBars are for growth by A (none), B and C against the best of the other stores.
var growthBars = [3]float64{0, 0.72, 0.98}

// report prints the bars, then every step.
func (s *subject) report(w io.Writer) {
	fmt.Fprintf(w, "\n### %s\n\n", s.title)
	fmt.Fprintf(w, "| what | ingot | peer | ratio in a round | bar | |\n|---|---|---|---|---|---|\n")
	for _, b := range bars {
		mine, theirs := values(s.samples[b.mine], b.of), values(s.samples[b.theirs], b.of)
		if len(mine) == 0 {
			continue
		}
		ratios := make([]float64, len(mine))
		for i := range mine {
			ratios[i] = mine[i] / theirs[i]
		}
		fmt.Fprintf(w, "| %s | %s %s | %s %s | %s | <= %.2f | %s |\n", b.what,
			spread(mine), b.of.unit, spread(theirs), b.of.unit, spread(ratios), b.limit, verdict(median(ratios), b.limit))
	}
	for _, b := range peakBars {
		peaks := values(s.samples[b.step], peak)
		if len(peaks) == 0 {
			continue
		}
		fmt.Fprintf(w, "| peak memory, %s | %s MiB | | | <= %.0f MiB | %s |\n",
			b.step, spread(peaks), b.limit, verdict(slices.Max(peaks), b.limit))
	}
	fmt.Fprintf(w, "\n| step | n | wall s | cpu s | peak MiB | size MiB |\n|---|---|---|---|---|---|\n")
	cpu := metric{func(s sample) float64 { return s.cpu.Seconds() }, "s"}
	for _, name := range slices.Sorted(maps.Keys(s.samples)) {
		runs := s.samples[name]
		fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s |\n", name, len(runs),
			spread(values(runs, wall)), spread(values(runs, cpu)), spread(values(runs, peak)), spread(values(runs, size)))
	}
}

// reportGrowth prints the stores and holds the first against the best of the others.
func reportGrowth(w io.Writer, all []grown) {
	fmt.Fprintf(w, "\n### Growth of a store, MiB (n = 1, whole disks, all files of the store)\n\n")
	fmt.Fprintf(w, "| store | A | + B | + C | total | seconds |\n|---|---|---|---|---|---|\n")
	for _, g := range all {
		fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %.0f, %.0f, %.0f |\n", g.name,
			g.added[0]/mib, g.added[1]/mib, g.added[2]/mib, (g.added[0]+g.added[1]+g.added[2])/mib,
			g.took[0].Seconds(), g.took[1].Seconds(), g.took[2].Seconds())
	}
	fmt.Fprintf(w, "\n| growth | ingot / the best of the others | bar | |\n|---|---|---|---|\n")
	for i, limit := range growthBars {
		if limit == 0 {
			continue
		}
		best := slices.MinFunc(all[1:], func(a, b grown) int { return cmp.Compare(a.added[i], b.added[i]) })
		ratio := float64(all[0].added[i]) / float64(best.added[i])
		fmt.Fprintf(w, "| by %c | %.2f (%s) | <= %.2f | %s |\n", 'A'+i, ratio, best.name, limit, verdict(ratio, limit))
	}
}

// describe prints what the numbers depend on: the machine, the tools, the disks.
func describe(ctx context.Context, w io.Writer, images string) {
	cpu, _ := os.ReadFile("/proc/cpuinfo")
	_, model, _ := strings.Cut(string(cpu), "model name\t: ")
	model, _, _ = strings.Cut(model, "\n")
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	fmt.Fprintf(w, "%d CPUs (%s), Linux %s, %s. ", runtime.NumCPU(), model, strings.TrimSpace(string(kernel)), runtime.Version())
	tools, _ := exec.CommandContext(ctx, "dpkg-query", "--show", "--showformat=${Package} ${Version}, ",
		"partclone", "zstd", "fsarchiver", "restic", "borgbackup", "casync").Output()
	fmt.Fprintf(w, "Packages: %s.\n\n", strings.TrimSuffix(string(tools), ", "))
	notes, _ := filepath.Glob(filepath.Join(images, "*.txt"))
	for _, path := range notes {
		note, _ := os.ReadFile(path)
		fmt.Fprintf(w, "- %s", note)
	}
}

func verdict(value, limit float64) string {
	if value <= limit {
		return "PASS"
	}
	return "MISS"
}

func values(samples []sample, m metric) []float64 {
	list := make([]float64, len(samples))
	for i, s := range samples {
		list[i] = m.of(s)
	}
	return list
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spread is the median, and the smallest and largest value where they differ.
func spread(list []float64) string {
	format := func(v float64) string {
		if v >= 100 {
			return fmt.Sprintf("%.0f", v)
		}
		return fmt.Sprintf("%.2f", v)
	}
	low, high := format(slices.Min(list)), format(slices.Max(list))
	if low == high {
		return low
	}
	return fmt.Sprintf("%s (%s-%s)", format(median(list)), low, high)
}
