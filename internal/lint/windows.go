package lint

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/drivers"
)

// windowsState is what Windows says about itself in its registry.
func windowsState(_ context.Context, w *installed) ([]Finding, error) {
	i, err := w.info()
	var all []Finding
	add := func(is bool, id ID, path, what string, args ...any) {
		if is {
			all = append(all, w.found(id, path, what, args...))
		}
	}
	const config = "/Windows/System32/config"
	known := err == nil || i.Build != ""
	state := "it says nothing of its state"
	if i.ImageState != "" {
		state = "its ImageState is " + shown(i.ImageState)
	}
	add(known && !i.Generalized, NotGeneralized, config+"/SOFTWARE", "This Windows was not generalized by sysprep: %s.", state)
	add(i.Hibernated, WindowsAsleep, "/hiberfil.sys", "This Windows is asleep: hiberfil.sys holds a session, perhaps of fast startup.")
	add(len(i.Dirty) > 0, RegistryNotClean, first(i.Dirty), "Registry hives were not closed in order: %s.", listed(i.Dirty))
	domain := ""
	if i.Domain != "" {
		domain = " (" + shown(i.Domain) + ")"
	}
	add(i.DomainMember, DomainMember, config+"/SECURITY", "This Windows is a member of a domain%s.", domain)
	add(len(i.PendingReboot) > 0, PendingReboot, "", "This Windows waits for a restart: %s.", listed(i.PendingReboot))
	add(len(i.BitLocker) > 0, DeviceEncryption, "", "The machine may encrypt its disk by itself: %s.", listed(i.BitLocker))
	return all, err
}

// windowsWireless are the networks whose keys are stored for all users.
func windowsWireless(_ context.Context, w *installed) ([]Finding, error) {
	i, _ := w.info() // an error is windowsState's
	if len(i.WiFiProfiles) == 0 {
		return nil, nil
	}
	return w.one(WirelessKeys, "/ProgramData/Microsoft/Wlansvc/Profiles/Interfaces", "Profiles of wireless networks are stored: %s.", listed(i.WiFiProfiles))
}

// Bounds of the INF files that are read.
const (
	maxINFs = 300
	maxINF  = 4 << 20 // bytes
)

// windowsDrivers looks whose drivers were added to those of Windows.
func windowsDrivers(ctx context.Context, w *installed) ([]Finding, error) {
	names, err := w.glob(ctx, "/Windows/INF/oem*.inf")
	if err != nil {
		return nil, err
	}
	byVendor := map[string]int{}
	var vendor, spelled string
	for _, name := range names[:min(maxINFs, len(names))] {
		data, err := w.ReadFile(name, maxINF)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		inf := drivers.ParseINF(data, "amd64")
		if spelled = strings.TrimSpace(inf.Provider); spelled == "" || strings.EqualFold(spelled, "Microsoft") {
			continue
		}
		vendor = strings.ToLower(strings.Fields(spelled)[0])
		byVendor[vendor]++
	}
	const few = 2 // of one vendor: a printer's driver says nothing about the machine
	if len(byVendor) != 1 || byVendor[vendor] < few {
		return nil, nil
	}
	return w.one(OneVendor, "/Windows/INF", "All %d drivers that were added to this Windows come from one vendor, %s.", byVendor[vendor], shown(spelled))
}

// windowsHello are keys that the TPM of the reference PC keeps for its users.
func windowsHello(ctx context.Context, w *installed) ([]Finding, error) {
	keys, err := w.glob(ctx, "/Windows/ServiceProfiles/LocalService/AppData/Local/Microsoft/Ngc/*")
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return w.one(TPMBound, path.Dir(keys[0]), "Users have signed in with Windows Hello, whose keys the TPM of the reference PC keeps.")
}

// idShadow is at the end of the names of shadow copies; Microsoft, "Volume Shadow
// Copy Service".
const idShadow = "{3808876b-c176-4e48-b7ae-04046e6cc752}"

// windowsShadows are restore points and other shadow copies.
func windowsShadows(ctx context.Context, w *installed) ([]Finding, error) {
	names, err := w.glob(ctx, "/System Volume Information/{*}"+idShadow)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	var bytes int64
	for _, name := range names {
		bytes += min(w.size(name), maxSize)
	}
	f := w.found(Snapshots, names[0], "The volume holds shadow copies, such as restore points: %d, of %s.", len(names), mib(bytes))
	f.Bytes = bytes
	return []Finding{f}, nil
}

func windowsCaches(ctx context.Context, w *installed) ([]Finding, error) {
	return w.caches(ctx, []cache{
		{"/Windows/SoftwareDistribution/Download", "updates that were downloaded"},
		{"/Windows.old", "the Windows before the last upgrade"},
		{"/$WINDOWS.~BT", "files of an upgrade"},
		{"/$Windows.~WS", "files of an upgrade"},
		{"/Windows/Temp", "temporary files"},
		{"/$Recycle.Bin", "what was thrown away"},
		{"/Windows/MEMORY.DMP", "memory at a crash"},
		{"/Windows/Logs/CBS", "logs of updates"},
	})
}
