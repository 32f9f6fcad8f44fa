package lint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/system"
)

// check is one thing that is looked at. What it found counts even when it ends with
// an error.
type check struct {
	about string // for a person: "SSH keys"
	look  func(context.Context, *subject) ([]Finding, error)
}

// checks are all there are, in the order of a report.
var checks = []check{
	{"the disk", wholeDisk},
	{"the volumes", volumes},
	{"the EFI system partition", loaders},

	{"what Windows says about itself", windows(windowsState)},
	{"drivers of Windows", windows(windowsDrivers)},
	{"volumes of the system", linux(missingVolumes)},
	{"names of devices", linux(deviceNames)},
	{"initial RAM disks", linux(hostOnly)},
	{"firmware of devices", linux(firmware)},
	{"tools of virtual machines", both(guestTools)},
	{"resuming", linux(resume)},

	{"who the machine is", linux(identity)},
	{"memberships", linux(memberships)},
	{"what knows the hardware", linux(hardware)},
	{"what is bound to the TPM", windows(windowsHello)},
	{"cloud-init", linux(cloudInit)},

	{"keys of encrypted volumes", linux(volumeKeys)},
	{"keys and credentials of users", both(privateKeys)},
	{"who may log in", linux(rootKeys)},
	{"what users typed", both(histories)},
	{"wireless networks", linux(wireless)},
	{"wireless networks", windows(windowsWireless)},

	{"packages", linux(packages)},
	{"old states", linux(snapshots)},
	{"old states", windows(windowsShadows)},
	{"caches", linux(linuxCaches)},
	{"caches", windows(windowsCaches)},
}

// systemCheck is what a check does with one system.
type systemCheck func(context.Context, *installed) ([]Finding, error)

func linux(look systemCheck) func(context.Context, *subject) ([]Finding, error) {
	return each(look, system.Linux)
}

func windows(look systemCheck) func(context.Context, *subject) ([]Finding, error) {
	return each(look, system.Windows)
}

func both(look systemCheck) func(context.Context, *subject) ([]Finding, error) {
	return each(look, system.Linux, system.Windows)
}

// each does a check for all systems of some kinds.
func each(look systemCheck, kinds ...system.Kind) func(context.Context, *subject) ([]Finding, error) {
	return func(ctx context.Context, s *subject) (all []Finding, err error) {
		for _, sys := range s.systems {
			if !slices.Contains(kinds, sys.kind) {
				continue
			}
			found, serr := look(ctx, sys)
			all, err = append(all, found...), errors.Join(err, serr)
		}
		return all, err
	}
}

// found makes a finding of a kind. The words of what are those of the program:
// what comes from the image goes through shown.
func found(id ID, partition int, path, what string, args ...any) Finding {
	k := kindOf(id)
	return Finding{
		ID: id, Severity: k.Severity, Partition: partition, Path: path, What: fmt.Sprintf(what, args...),
		Why: k.Why, Plain: k.Plain, Profiled: k.Profiled, Do: k.Do,
	}
}

// unseen says that something could not be looked at.
func unseen(partition int, path, about string, err error) Finding {
	why := strings.TrimSuffix(shown(strings.ReplaceAll(err.Error(), "\n", "; ")), ".")
	return found(NotLookedAt, partition, path, "Of %s not everything could be looked at: %s.", about, why)
}

// maxShown bounds a text from an image in a message.
const maxShown = 300

// shown is a text from an image for a message.
func shown(text string) string {
	text = browse.Printable(text)
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return text
}

// listed names a few of many, for a sentence.
func listed(names []string) string {
	const most = 5
	var few []string
	for _, n := range names[:min(most, len(names))] {
		few = append(few, shown(n))
	}
	text := strings.Join(few, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}
