package machine

import (
	"bufio"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Inventory returns what sysfs and procfs say of the machine that fsys is the root
// of. Disks are not in it: they are looked into by those who can open them.
func Inventory(fsys fs.FS) (wire.Inventory, error) {
	facts, err := Read(fsys)
	if err != nil {
		return wire.Inventory{}, err
	}
	hints, err := ReadHints(fsys)
	if err != nil {
		return wire.Inventory{}, err
	}
	nics, err := readNICs(fsys)
	if err != nil {
		return wire.Inventory{}, fmt.Errorf("read the machine's network interfaces: %w", err)
	}
	inv := wire.Inventory{Facts: facts, SecureBoot: hints.SecureBoot, TPM: tpm(fsys), BIOS: bios(fsys), NICs: nics, Notes: hints.Notes}
	inv.CPU, inv.Cores = processor(fsys)
	inv.Memory = memory(fsys)
	return inv, nil
}

// lines calls f with the lines of a file of procfs until f returns false. One that
// is not there has none.
func lines(fsys fs.FS, name string, f func(string) bool) {
	file, err := fsys.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	for s.Scan() && f(s.Text()) {
	}
}

// processor returns the model of the first processor, and how many cores all of
// them have together; hardware threads are counted where the kernel tells no cores.
// Source: proc_cpuinfo(5); arm64 has no model name there.
func processor(fsys fs.FS) (model string, cores int) {
	threads, seen, socket := 0, map[string]bool{}, ""
	lines(fsys, "proc/cpuinfo", func(line string) bool {
		key, value, _ := strings.Cut(line, ":")
		value = printable(value)
		switch strings.TrimSpace(key) {
		case "processor":
			threads++
		case "model name":
			if model == "" {
				model = strings.Join(strings.Fields(value), " ")
			}
		case "physical id":
			socket = value
		case "core id":
			seen[socket+"/"+value] = true
		}
		return threads <= maxEntries
	})
	if len(seen) > 0 {
		return model, len(seen)
	}
	return model, threads
}

// memory is what the kernel has of it, bytes: a little less than what is built in.
func memory(fsys fs.FS) int64 {
	var total int64
	lines(fsys, "proc/meminfo", func(line string) bool {
		f := strings.Fields(line)
		if len(f) != 3 || f[0] != "MemTotal:" || f[2] != "kB" {
			return true
		}
		if n, err := strconv.ParseInt(f[1], 10, 50); err == nil && n > 0 {
			total = n << 10
		}
		return false
	})
	return total
}

// tpm is the version of the trusted platform module. Source:
// Documentation/ABI/stable/sysfs-class-tpm.
func tpm(fsys fs.FS) string {
	switch attribute(fsys, "sys/class/tpm/tpm0/tpm_version_major") {
	case "2":
		return "2.0"
	case "1":
		return "1.2"
	}
	return ""
}

// bios names the firmware.
func bios(fsys fs.FS) string {
	var words []string
	for _, name := range []string{"bios_vendor", "bios_version", "bios_date"} {
		if s := dmi(fsys, name); s != "" {
			words = append(words, s)
		}
	}
	return strings.Join(words, " ")
}
