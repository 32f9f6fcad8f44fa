package lint

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

// missingVolumes is what fstab names and the image does not hold.
func missingVolumes(_ context.Context, l *installed) ([]Finding, error) {
	var all []Finding
	for _, m := range l.Missing {
		all = append(all, l.found(VolumeMissing, "/etc/fstab", "%s.", shown(strings.TrimSuffix(m, "."))))
	}
	return all, nil
}

// Names of devices that mean something else on another machine, or that a deploy
// may change.
var (
	kernelName    = regexp.MustCompile(`^/dev/(?:[shv]d[a-z]+\d*|xvd[a-z]+\d*|nvme\d+n\d+(?:p\d+)?|mmcblk\d+(?:p\d+)?)$`)
	hardwareName  = regexp.MustCompile(`^/dev/disk/by-(?:id|path|diskseq)/`)
	partitionName = regexp.MustCompile(`^(?:PARTUUID=|PARTLABEL=|/dev/disk/by-part(?:uuid|label)/)`)
)

// deviceNames looks by which names the system knows its volumes.
func deviceNames(ctx context.Context, l *installed) ([]Finding, error) {
	fstab, err := l.text("/etc/fstab")
	crypttab, cerr := l.text("/etc/crypttab")
	err = errors.Join(err, cerr)
	all := l.judge("/etc/fstab", column(fstab, 0))
	all = append(all, l.judge("/etc/crypttab", column(crypttab, 1))...)
	names, gerr := l.glob(ctx, commandLines...)
	err = errors.Join(err, gerr)
	for _, name := range names {
		text, terr := l.text(name)
		err = errors.Join(err, terr)
		all = append(all, l.judge(name, arguments(text))...)
	}
	return all, err
}

// judge makes findings of the names of devices in one file.
func (i *installed) judge(file string, names []string) []Finding {
	var all []Finding
	for _, c := range []struct {
		id   ID
		form *regexp.Regexp
		by   string
	}{
		{KernelNames, kernelName, "the kernel's own names"},
		{HardwareNames, hardwareName, "its hardware"},
		{PartitionNames, partitionName, "IDs or names of partitions"},
	} {
		var such []string
		for _, n := range names {
			if c.form.MatchString(n) && !slices.Contains(such, n) {
				such = append(such, n)
			}
		}
		if len(such) > 0 {
			all = append(all, i.found(c.id, file, "%s names devices by %s: %s.", shown(file), c.by, listed(such)))
		}
	}
	return all
}

// column is one field of each line of a table such as fstab(5), without quotes.
func column(text string, n int) []string {
	var all []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) > n && !strings.HasPrefix(f[0], "#") {
			all = append(all, strings.ReplaceAll(f[n], `"`, ""))
		}
	}
	return all
}

// commandLines are files with arguments of kernels.
var commandLines = []string{
	"/etc/default/grub", "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/boot/loader/entries/*.conf", "/boot/efi/loader/entries/*.conf",
	"/efi/loader/entries/*.conf", "/etc/kernel/cmdline", "/boot/cmdline.txt", "/boot/firmware/cmdline.txt", "/boot/extlinux/extlinux.conf",
	"/etc/initramfs-tools/conf.d/resume",
}

// argument is one that names a device: kernel-parameters.txt, dracut.cmdline(7).
var argument = regexp.MustCompile(`(?:^|[\s"'])(?:root|resume|RESUME|cryptdevice|rd\.luks\.name|rd\.luks\.uuid)=["']?([^\s"',:]+)`)

// arguments are the devices that the arguments in a text name.
func arguments(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, m := range argument.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// resumeArgument is one that names where a session that was put to sleep lies.
var resumeArgument = regexp.MustCompile(`(?:^|[\s"'])(?:resume|RESUME)=["']?([^\s"']+)`)

// resumesFrom is the device that a text names; "" where it names none.
func resumesFrom(text string) string {
	for line := range strings.Lines(text) {
		m := resumeArgument.FindStringSubmatch(line)
		if m != nil && !strings.HasPrefix(strings.TrimSpace(line), "#") && m[1] != "none" && m[1] != "auto" {
			return m[1]
		}
	}
	return ""
}

// resume looks whether the system looks for a sleeping session when it starts.
func resume(ctx context.Context, l *installed) ([]Finding, error) {
	names, err := l.glob(ctx, commandLines...)
	for _, name := range names {
		text, terr := l.text(name)
		err = errors.Join(err, terr)
		if from := resumesFrom(text); from != "" {
			return []Finding{l.found(Resume, name, "The system resumes from %s, by %s.", shown(from), shown(name))}, err
		}
	}
	return nil, err
}

// volumeKeys looks how encrypted volumes are opened: by files in the image, by the
// TPM of the reference PC.
func volumeKeys(_ context.Context, l *installed) ([]Finding, error) {
	const file = "/etc/crypttab"
	text, err := l.text(file)
	var all []Finding
	volumes, bound := 0, false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		volumes++
		options := strings.Join(f[min(3, len(f)):], ",")
		bound = bound || strings.Contains(options, "tpm2-device=") || strings.Contains(options, "keyscript=") && strings.Contains(options, "tpm")
		if len(f) > 2 && strings.HasPrefix(f[2], "/") && !strings.HasPrefix(f[2], "/dev/") && l.size(f[2]) > 0 {
			all = append(all, l.found(VolumeKey, f[2], "The key that opens %s lies in the image: %s.", shown(f[0]), shown(f[2])))
		}
	}
	if config, _ := l.text("/etc/cryptsetup-initramfs/conf-hook"); volumes > 0 && len(all) == 0 {
		if pattern, ok := shellvar.Get([]byte(config), "KEYFILE_PATTERN"); ok && pattern != "" {
			all = append(all, l.found(VolumeKey, "/boot", "Keys of encrypted volumes are put into the initial RAM disk: %s.", shown(pattern)))
		}
	}
	if bound || volumes > 0 && l.program("clevis") {
		all = append(all, l.found(TPMBound, file, "Encrypted volumes are opened by the TPM of the reference PC."))
	}
	return all, err
}
