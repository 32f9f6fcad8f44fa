package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// A lease is the object with which a running writer tells a clean-up that it is
// there, and which condemnations it knows. It is replaced (put under the next
// number, then the older one deleted) whenever it must say more and every
// leaseBeat, so its age tells whether the writer still lives.
//
//	sessions/<writer>.<number>
const (
	leaseBeat = 2 * time.Minute
	// LeaseLimit is the age at which a lease counts as abandoned. A writer that
	// was asleep for longer finds its lease gone and gives up.
	LeaseLimit = 12 * time.Hour
)

// Lease is what a writer says of itself.
type Lease struct {
	Writer  string    `json:"writer"`
	Doing   string    `json:"doing"` // for a person: "capture of /dev/sda"
	Host    string    `json:"host"`
	Boot    string    `json:"boot"` // the kernel's boot ID, "" when unknown
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Knows are the condemnations that the writer read before it looked for
	// anything to reuse. nil: it has not read them yet.
	Knows []string `json:"knows"`

	number int
	seen   time.Time // when it was put, by the backend's clock
}

func (l Lease) key() string { return leaseKey(l.Writer, l.number) }

func leaseKey(writer string, number int) string {
	return fmt.Sprintf("%s%s.%d", prefixSessions, writer, number)
}

func newLease(doing string) Lease {
	host, _ := os.Hostname()
	return Lease{
		Writer: randomName(), Doing: doing, Host: host, Boot: bootID(), PID: os.Getpid(), Started: time.Now().UTC(),
	}
}

// bootID tells this boot of this machine from any other; "" where there is no such thing.
func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// Abandoned reports whether the writer is certainly, or after LeaseLimit
// presumably, no more.
func (l Lease) Abandoned(now time.Time) bool {
	if now.Sub(l.seen) > LeaseLimit {
		return true
	}
	if l.Boot == "" || l.Boot != bootID() || l.PID <= 0 {
		return false
	}
	_, err := os.Stat("/proc/" + strconv.Itoa(l.PID))
	return errors.Is(err, os.ErrNotExist)
}

// Leases returns the newest lease of each writer.
func (s *Store) Leases(ctx context.Context) ([]Lease, error) {
	newest := map[string]Lease{}
	err := s.backend.List(ctx, prefixSessions, func(o Object) error {
		data, err := read(ctx, s.backend, o.Key, 1<<20)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		l, err := parseLease(o, data)
		if err != nil {
			return err
		}
		if old, ok := newest[l.Writer]; !ok || old.number < l.number {
			newest[l.Writer] = l
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the leases of running writers: %w", err)
	}
	var leases []Lease
	for _, l := range newest {
		leases = append(leases, l)
	}
	return leases, nil
}

// parseLease reads a lease. One that cannot be read stands for a writer that
// knows nothing, until it is old: in doubt somebody is there.
func parseLease(o Object, data []byte) (Lease, error) {
	writer, number, ok := strings.Cut(path.Base(o.Key), ".")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return Lease{Writer: writer, seen: o.ModTime}, nil
	}
	var l Lease
	if unseal(o.Key, data, &l) != nil {
		l = Lease{}
	}
	l.Writer, l.number, l.seen = writer, n, o.ModTime
	return l, nil
}

// Expire removes an abandoned lease. Its writer, if it wakes up, then knows that
// what it relied on may be gone.
func (s *Store) Expire(ctx context.Context, l Lease) error {
	return s.backend.List(ctx, prefixSessions, func(o Object) error {
		if !strings.HasPrefix(o.Key, prefixSessions+l.Writer+".") {
			return nil
		}
		return s.backend.Delete(ctx, o.Key)
	})
}

// renew puts the lease under its next number and then removes the one before.
// Finding that one gone means that somebody expired it.
func (s *Store) renew(ctx context.Context, l *Lease) error {
	old := l.key()
	l.number++
	if err := s.backend.Put(ctx, l.key(), seal(l)); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	if _, err := s.backend.Stat(ctx, old); err != nil {
		s.backend.Delete(ctx, l.key())
		if errors.Is(err, ErrNotFound) {
			return errExpired
		}
		return fmt.Errorf("renew lease: %w", err)
	}
	if err := s.backend.Delete(ctx, old); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}

// errExpired is final for a session.
var errExpired = errors.New("a clean-up took this writer for dead, as it was not heard of for too long; start again, what is stored already is found")
