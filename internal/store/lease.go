package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A lease is how a running writer tells a clean-up that it is there, and which
// condemnations it knows. It is one object that stays from the first to the last
// moment, and others that say more and are replaced all the time:
//
//	sessions/<writer>.0     put first, deleted at the end: the writer runs while it is there
//	sessions/<writer>.<n>   what it says now; n counts up
//
// Since .0 never moves, no listing misses a writer that runs all through it,
// whatever the backend does with objects that come and go meanwhile.
const (
	leaseBeat = 2 * time.Minute
	// LeaseLimit is the age of its newest object at which a lease counts as
	// abandoned. A writer that was asleep for longer finds .0 gone and gives up.
	LeaseLimit = 12 * time.Hour

	maxLease = 1 << 20 // bytes of a lease object
)

// Lease is what a writer says of itself.
type Lease struct {
	Writer  string    `json:"writer"`
	Doing   string    `json:"doing"` // for a person: "capture of /dev/sda"
	Host    string    `json:"host"`
	Boot    string    `json:"boot"`    // the kernel's boot ID, "" when unknown
	PIDs    string    `json:"pids"`    // which process numbers PID is one of (a container has its own), "" when unknown
	PID     int       `json:"pid"`     //
	Started time.Time `json:"started"` // by the writer's clock
	CleanUp bool      `json:"cleanUp,omitempty"`
	// Knows are the condemnations that the writer read before it looked for
	// anything to reuse. nil: it has not read them yet.
	Knows []string `json:"knows"`

	Begun time.Time `json:"-"` // when .0 was put, by the backend's clock
	Seen  time.Time `json:"-"` // when its newest object was put, by the backend's clock

	number int
}

// String says for a person who the writer is.
func (l Lease) String() string {
	return fmt.Sprintf("%s on %s (process %d, since %s)", l.Doing, l.Host, l.PID, l.Started.Local().Format("2006-01-02 15:04"))
}

func leaseKey(writer string, number int) string {
	return fmt.Sprintf("%s%s.%d", prefixSessions, writer, number)
}

func (s *Store) newLease(doing string) Lease {
	host, _ := os.Hostname()
	name := randomName()
	if n, ok := s.backend.(WriterNamer); ok {
		name = n.WriterName()
	}
	return Lease{
		Writer: name, Doing: doing, Host: host, Boot: bootID(), PIDs: pidNamespace(), PID: os.Getpid(), Started: time.Now().UTC(),
	}
}

// bootID tells this boot of this machine from any other; "" where there is no such thing.
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// pidNamespace tells apart the containers of one machine; "" where there is no such thing.
func pidNamespace() string {
	name, _ := os.Readlink("/proc/self/ns/pid")
	return name
}

// Abandoned reports whether the writer is certainly, or after LeaseLimit
// presumably, no more. now is by the backend's clock.
func (l Lease) Abandoned(now time.Time) bool {
	if now.Sub(l.Seen) > LeaseLimit {
		return true
	}
	if l.Boot == "" || l.PIDs == "" || l.PID <= 0 || l.Boot != bootID() || l.PIDs != pidNamespace() {
		return false
	}
	_, err := os.Stat("/proc/" + strconv.Itoa(l.PID))
	return errors.Is(err, os.ErrNotExist)
}

// Leases returns the leases of all writers that ran from before the call to
// after it, and of some others.
func (s *Store) Leases(ctx context.Context) ([]Lease, error) {
	objects, err := s.leaseObjects(ctx)
	if err != nil {
		return nil, err
	}
	var leases []Lease
	for writer, numbers := range objects {
		first, ok := numbers[0]
		if !ok {
			continue // ended or expired: it can publish nothing any more
		}
		l, ok, err := s.newestLease(ctx, writer, numbers)
		if err != nil {
			return nil, fmt.Errorf("read the leases of running writers: %w", err)
		}
		if ok {
			l.Begun = first.ModTime
			leases = append(leases, l)
		}
	}
	slices.SortFunc(leases, func(a, b Lease) int { return a.Begun.Compare(b.Begun) })
	return leases, nil
}

// leaseObjects lists what is in sessions/ by writer and number.
func (s *Store) leaseObjects(ctx context.Context) (map[string]map[int]Object, error) {
	objects := map[string]map[int]Object{}
	err := s.backend.List(ctx, prefixSessions, func(o Object) error {
		writer, number, ok := strings.Cut(strings.TrimPrefix(o.Key, prefixSessions), ".")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 0 || writer == "" {
			return nil // somebody else's file
		}
		if objects[writer] == nil {
			objects[writer] = map[int]Object{}
		}
		objects[writer][n] = o
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the leases of running writers: %w", err)
	}
	return objects, nil
}

// newestLease reads the newest of a writer's objects that is still there; false
// when none is, as the writer has ended.
func (s *Store) newestLease(ctx context.Context, writer string, objects map[int]Object) (Lease, bool, error) {
	numbers := make([]int, 0, len(objects))
	for n := range objects {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range slices.Backward(numbers) {
		o := objects[n]
		data, err := read(ctx, s.backend, o.Key, maxLease)
		if errors.Is(err, ErrNotFound) {
			continue // replaced by the next one meanwhile
		}
		var l Lease
		var damage *IntegrityError
		if err == nil {
			err = unseal(o.Key, data, &l)
		}
		if errors.As(err, &damage) {
			l = Lease{Doing: "somebody whose lease is damaged"} // in doubt it runs and knows nothing
		} else if err != nil {
			return Lease{}, false, err
		}
		l.Writer, l.number, l.Seen = writer, n, o.ModTime
		return l, true, nil
	}
	return Lease{}, false, nil
}

// Expire ends the lease of a writer. If that one wakes up, it finds that what it
// relied on may be gone, and publishes nothing.
func (s *Store) Expire(ctx context.Context, writer string) error {
	if err := s.backend.Delete(ctx, leaseKey(writer, 0)); err != nil {
		return fmt.Errorf("end lease: %w", err)
	}
	objects, err := s.leaseObjects(ctx)
	if err != nil {
		return err
	}
	for _, o := range objects[writer] {
		if err := s.backend.Delete(ctx, o.Key); err != nil {
			return fmt.Errorf("end lease: %w", err)
		}
	}
	return nil
}

// errExpired is final for a session.
var errExpired = errors.New("a clean-up took this writer for dead, as it was not heard of for too long; start again, what is stored already is found")
