// Package linux makes an installed Linux system one machine's own.
//
// It owns what is to be edited in such a system, for the families Debian, Fedora,
// SUSE and Arch and for others as far as they are alike: names, keys, accounts,
// network, fstab, boot configuration, files, scripts of the first boot. All
// steps work on a draft; only when each of them has succeeded is anything written,
// so that a value that cannot be applied leaves the system as it was. It runs no
// program, neither its own nor the system's: RebuildCommands says which of the
// latter have to run.
//
// The image is not trusted: its files are reached through package rootfs alone,
// read up to a limit, and edited as text. Start at Apply.
package linux

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// step is one subject. It reads and changes the draft and nothing else.
type step struct {
	name string // what an error says it was about
	do   func(*machine) error
}

// machine is what the steps work on.
type machine struct {
	*draft
	job    customise.Job
	system system
	first  []firstBootScript // what the first boot has to do, in order

	newRoot bool // the root has another kind of file system
}

// always are the steps that keep a system working on its new disk.
func always() []step {
	return []step{
		{"volumes", (*machine).editTables},
		{"boot configuration", (*machine).editBoot},
	}
}

// unique are the steps that make it one machine's own. Accounts come before what
// belongs to them, and the first boot last, since others may need it.
func unique() []step {
	return []step{
		{"host name", (*machine).setHostname},
		{"machine ID", (*machine).renewMachineID},
		{"random seeds", (*machine).renewSeeds},
		{"left-over identity", (*machine).renewIdentity},
		{"SSH host keys", (*machine).renewHostKeys},
		{"accounts", (*machine).setAccounts},
		{"locale", (*machine).setLocale},
		{"keyboard", (*machine).setKeyboard},
		{"time zone", (*machine).setTimeZone},
		{"network", (*machine).setNetwork},
		{"cloud-init", (*machine).setCloudInit},
		{"kernel arguments", (*machine).addKernelArgs},
		{"files", (*machine).addFiles},
		{"first boot", (*machine).setFirstBoot},
	}
}

// Apply edits the system that is mounted at root, with everything that its fstab
// names mounted below it. An error before the first write leaves it untouched;
// one while writing (a full disk) leaves it half done, and the Report nil.
func Apply(ctx context.Context, root *rootfs.Root, job customise.Job) (*customise.Report, error) {
	m, err := prepare(ctx, root, job)
	if err != nil {
		return nil, err
	}
	return m.commit(ctx)
}

// Preview returns what Apply would report, or its error, and writes nothing. The
// host may have mounted root read-only.
func Preview(ctx context.Context, root *rootfs.Root, job customise.Job) (*customise.Report, error) {
	m, err := prepare(ctx, root, job)
	if err != nil {
		return nil, err
	}
	return m.preview(), nil
}

func prepare(ctx context.Context, root *rootfs.Root, job customise.Job) (*machine, error) {
	m := &machine{draft: newDraft(root), job: job}
	if job.Rand == nil {
		m.job.Rand = rand.Reader
	}
	var err error
	if m.system, err = m.identify(); err != nil {
		return nil, fmt.Errorf("look at the system: %w", err)
	}
	steps := always()
	if job.Settings != nil {
		steps = append(steps, unique()...)
	}
	for _, s := range append(steps, step{"labels of SELinux", (*machine).relabel}) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.do(m); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return m, nil
}
