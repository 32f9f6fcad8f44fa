package server

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/dhcp"
)

// leaseFile keeps the addresses that were given out, one JSON document a line: new
// ones are added at the end, and the last of an address counts. It is written anew
// at each start.
type leaseFile string

var _ dhcp.LeaseStore = leaseFile("")

// Leases implements dhcp.LeaseStore. A line that is broken, as the last one is after
// a power cut, is left out: its client asks again.
func (f leaseFile) Leases(context.Context) ([]dhcp.Lease, error) {
	text, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []dhcp.Lease
	for line := range strings.Lines(string(text)) {
		var l dhcp.Lease
		if json.Unmarshal([]byte(line), &l) != nil || !l.Addr.IsValid() {
			continue
		}
		all = slices.DeleteFunc(all, func(old dhcp.Lease) bool { return old.Addr == l.Addr })
		all = append(all, l)
	}
	now := time.Now()
	all = slices.DeleteFunc(all, func(l dhcp.Lease) bool { return l.Until.Before(now) })
	return all, f.rewrite(all)
}

func (f leaseFile) rewrite(all []dhcp.Lease) error {
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), ".leases-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	e := json.NewEncoder(tmp)
	for _, l := range all {
		err = errors.Join(err, e.Encode(l))
	}
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), string(f))
}

// SaveLease implements dhcp.LeaseStore.
func (f leaseFile) SaveLease(_ context.Context, l dhcp.Lease) error {
	file, err := os.OpenFile(string(f), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(file).Encode(l), file.Sync(), file.Close())
}
