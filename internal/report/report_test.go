package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
)

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 1<<20 - 1: "1.0 MiB", 4402341478: "4.1 GiB", 1<<63 - 1: "8.0 EiB",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 s", 420 * time.Millisecond: "0.4 s", 9949 * time.Millisecond: "9.9 s", 9950 * time.Millisecond: "10 s",
		59600 * time.Millisecond: "1 min 0 s", 185 * time.Second: "3 min 5 s", 130 * time.Minute: "2 h 10 min",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
}

// TestMeter: rates are those of late, and packs are not added to bytes.
func TestMeter(t *testing.T) {
	work := &progress.Work{Verb: "verify"}
	packs := work.Count("packs", "packs", 10)
	volume := work.Stage("partition 1", 100<<20)
	start := time.Unix(0, 0)
	m := newMeter(work, start)
	m.frame(start)
	packs.Add(4)
	f := m.frame(start.Add(2 * time.Second))
	if f.unit != "packs" || f.done != 4 || f.total != 10 || f.rate != 2 || f.left != 3*time.Second {
		t.Errorf("frame of packs = %+v", f)
	}
	packs.Add(6)
	if f = m.frame(start.Add(3 * time.Second)); f.unit != "" || f.done != 0 || f.total != 100<<20 || f.rate != 0 {
		t.Errorf("frame after the packs = %+v", f)
	}
	for s := range 60 {
		volume.Add(1 << 20)
		f = m.frame(start.Add(time.Duration(4+s) * time.Second))
	}
	if f.rate != 1<<20 || f.left != 40*time.Second {
		t.Errorf("rate %v, left %v, want 1 MiB a second and 40 s", f.rate, f.left)
	}
	if len(m.late) > 25 {
		t.Errorf("the meter remembers %d measurements", len(m.late))
	}
}

var someFrame = frame{
	verb: "capture", done: 13 << 30, total: 33 << 30, rate: 512 << 20, left: 41 * time.Second, facts: "9.1 GiB new",
	stages: []stage{
		{name: "space at 0x4400", done: 1, total: 1, minor: true},
		{name: `partition 1, fat32 "EFI"`, done: 6 << 20, total: 6 << 20},
		{name: `partition 2, ext4 "root"`, done: 12 << 30, total: 32 << 30},
		{name: `partition 3, ntfs "日本語"`, total: 1 << 30},
		{name: `partition 4, swap`, total: 4096},
	},
}

func TestPicture(t *testing.T) {
	for _, test := range []struct {
		width, height int
		want          string
	}{
		{100, 24, `
capture  [###########-------------------]  39 %  13.0 GiB of 33.0 GiB  512.0 MiB/s, 41 s left
  9.1 GiB new
  partition 1, fat32 "EFI"    done     6.0 MiB
  partition 2, ext4 "root"    37 %     12.0 GiB of 32.0 GiB
  partition 3, ntfs "日本語"  waiting  1.0 GiB
  partition 4, swap           waiting  4.0 KiB`},
		{50, 5, `
capture  39 %  13.0 GiB of 33.0 GiB  512.0 MiB/s~
  9.1 GiB new
  partition 2, ~  37 %     12.0 GiB of 32.0 GiB
  partition 3, ~  waiting  1.0 GiB
  and 2 more`},
		{20, 2, `
capture  39 %  13.~
  9.1 GiB new`},
		{9, 1, `
capture~`},
	} {
		got := "\n" + strings.Join(picture(someFrame, test.width, test.height), "\n")
		if got != test.want {
			t.Errorf("%dx%d: got %s\nwant %s", test.width, test.height, got, test.want)
		}
		for line := range strings.Lines(got) {
			if n := cells(strings.TrimSuffix(line, "\n")); n >= test.width {
				t.Errorf("%dx%d: %q takes %d cells", test.width, test.height, line, n)
			}
		}
	}
}

// TestTerminal: a picture replaces the one before, whatever their heights.
func TestTerminal(t *testing.T) {
	var out bytes.Buffer
	d := &terminal{w: &out, size: func() (int, int) { return 80, 24 }}
	f := frame{verb: "deploy", stages: []stage{{name: "a", total: 1 << 20}, {name: "b", total: 1 << 20}}, total: 2 << 20}
	d.draw(f, false)
	if d.lines != 3 || strings.Contains(out.String(), "\x1b[3F") {
		t.Errorf("the first picture has %d lines and begins %q", d.lines, out.String())
	}
	out.Reset()
	f.stages = f.stages[:1]
	d.draw(f, true)
	if !strings.HasPrefix(out.String(), "\x1b[3F") || !strings.HasSuffix(out.String(), "\x1b[J") || d.lines != 2 {
		t.Errorf("the second picture has %d lines: %q", d.lines, out.String())
	}
}

// TestPlain: a log gets each start and end once, and the whole now and then.
func TestPlain(t *testing.T) {
	var out bytes.Buffer
	work := &progress.Work{Verb: "deploy"}
	gap, one, two := work.Region("gap", 1<<20, true), work.Stage("one", 1<<20), work.Stage("two", 30<<20)
	start := time.Unix(0, 0)
	m, d := newMeter(work, start), newPlain(&out)
	at := func(s int, last bool) { d.draw(m.frame(start.Add(time.Duration(s)*time.Second)), last) }
	at(0, false)
	gap.Add(1 << 20)
	one.Add(1 << 20)
	at(1, false)
	two.Add(6 << 20)
	work.Written.Add(8 << 20)
	at(2, false)
	at(5, false)
	at(9, false)
	at(20, false)
	two.Add(24 << 20)
	at(21, true)
	const want = `deploy: one: done (1.0 MiB)
deploy: two: started (30.0 MiB)
deploy: 25 %, 8.0 MiB of 32.0 MiB; 1.6 MiB/s, 15 s left; 8.0 MiB written, 0 B there already
deploy: two: done (30.0 MiB)
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// TestShow: elsewhere than on a terminal nothing but text is written, and nothing
// after stop.
func TestShow(t *testing.T) {
	var out bytes.Buffer
	work := &progress.Work{Verb: "verify"}
	stop := Show(&out, work)
	work.Stage("one", 10).Add(10)
	stop()
	stop()
	if got := out.String(); got != "verify: one: done (10 B)\n" {
		t.Errorf("wrote %q", got)
	}
}

// TestTimes: the times of a program's works add up, though network and processor
// are counted for the program.
func TestTimes(t *testing.T) {
	var out bytes.Buffer
	l, network := NewLines(&out), &progress.Traffic{}
	for range 2 {
		end := network.Begin()
		stop := l.Show(&progress.Work{Verb: "deploy", Network: network})
		time.Sleep(50 * time.Millisecond)
		end()
		stop()
	}
	cpu, waited, times := 0.0, 0.0, 0
	for line := range strings.Lines(out.String()) {
		var read Line
		if err := json.Unmarshal([]byte(line), &read); err != nil {
			t.Fatal(err)
		}
		if read.Time != nil {
			cpu, waited, times = cpu+read.Time.CPU, waited+read.Time.Network, times+1
		}
	}
	if all := network.Busy().Seconds(); times != 2 || waited > all+0.001 || waited < all-0.001 || cpu > cpuSeconds() {
		t.Errorf("%d times: %v s of network, which was busy for %v s; %v s of processor, used were %v s", times, waited, all, cpu, cpuSeconds())
	}
}
