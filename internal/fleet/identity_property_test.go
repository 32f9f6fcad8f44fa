package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// random is an identity of which each trait may be missing, and takes values that
// others have too when few is small.
func random(r *rand.Rand, few int) fleet.Identity {
	pick := func(format string) string {
		if r.IntN(3) == 0 {
			return ""
		}
		return fmt.Sprintf(format, r.IntN(few))
	}
	id := fleet.Identity{UUID: pick("00000000-1111-4222-8333-%012d"), Serial: pick("Maker/SERIAL%d"), Board: pick("Maker/BOARD%d"), Asset: pick("TAG%d")}
	for range r.IntN(3) {
		id.Disks = append(id.Disks, fmt.Sprintf("Model/DISK%d", r.IntN(few)))
		id.MACs = append(id.MACs, fmt.Sprintf("00:1b:21:00:%02x:%02x", r.IntN(few)>>8&0xff, r.IntN(few)&0xff))
	}
	return id.With(id) // sorted
}

func TestCompareIsSymmetric(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		a, b := random(r, 4), random(r, 4)
		x, y := fleet.Compare(a, b), fleet.Compare(b, a)
		if x.Score != y.Score || x.Sure() != y.Sure() || !slices.Equal(x.Differ, y.Differ) {
			t.Fatalf("%+v\n%+v\n%+v\n%+v", a, b, x, y)
		}
		shared := slices.ContainsFunc(a.Keys(), func(k string) bool { return slices.Contains(b.Keys(), k) })
		if !shared && (len(x.Agree) > 0 || x.Sure()) {
			t.Fatalf("without a common key, so that nobody would look: %+v\n%+v\n%+v", a, b, x)
		}
	}
}

// TestMatchRules holds what must never happen, whatever a machine says.
func TestMatchRules(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 10_000 {
		a, b := random(r, 4), random(r, 4)
		l := fleet.Compare(a, b)
		onlyDisk := a
		onlyDisk.Disks = nil
		if fleet.Compare(onlyDisk, b).Agree == nil && l.Sure() {
			t.Fatalf("a disk alone made two machines one: %+v\n%+v", a, b)
		}
		if !l.Sure() {
			continue
		}
		if len(l.Agree) < 2 && len(l.Differ) > 0 {
			t.Fatalf("one agreement outweighs a difference: %+v", l)
		}
		// What agrees more stays the same machine.
		if b.Serial == "" {
			b.Serial = a.Serial
		}
		if !fleet.Compare(a, b).Sure() {
			t.Fatalf("one agreement more made two of one: %+v\n%+v", a, b)
		}
	}
}

// TestMatchInAFleet has a thousand machines say hello again, each with one thing
// changed.
func TestMatchInAFleet(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var known []fleet.Machine
	for i := range 1000 {
		known = append(known, fleet.Machine{ID: fmt.Sprintf("m-%04d", i), Identity: fleet.Identity{
			UUID: fmt.Sprintf("00000000-1111-4222-8333-%012d", i), Serial: fmt.Sprintf("M/SERIAL%d", i), Board: fmt.Sprintf("M/BOARD%d", i),
			Disks: []string{fmt.Sprintf("M/DISK%d", i)}, MACs: []string{fmt.Sprintf("00:1b:21:00:%02x:%02x", i>>8, i&0xff)},
		}})
	}
	shuffled := slices.Clone(known)
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for i, m := range known {
		if i%40 > 0 {
			continue
		}
		other := known[(i+1)%len(known)].Identity
		for what, change := range map[string]func(*fleet.Identity){
			"nothing": func(*fleet.Identity) {},
			"UUID":    func(id *fleet.Identity) { id.UUID = other.UUID },
			"board":   func(id *fleet.Identity) { id.Board = other.Board },
			"disk":    func(id *fleet.Identity) { id.Disks = other.Disks },
			"MAC":     func(id *fleet.Identity) { id.MACs = other.MACs },
			"dongle":  func(id *fleet.Identity) { id.MACs = append(slices.Clone(id.MACs), other.MACs...) },
			"no UUID": func(id *fleet.Identity) { id.UUID = "" },
		} {
			id := m.Identity
			change(&id)
			if best, sure, _ := fleet.Match(id, shuffled); !sure || best.ID != m.ID {
				t.Fatalf("%s with another %s is %v, %v", m.ID, what, best, sure)
			}
		}
	}
}
