package fit

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/part"
)

const gib = 1 << 30

// GPT types.
const (
	typeESP      = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	typeMSR      = "E3C9E316-0B5C-4DB8-817D-F92DF00215AE"
	typeRecovery = "DE94BBA4-06D1-4D40-A16A-BFD50179D6AC"
	typeBasic    = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
	typeLinux    = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
	typeSwap     = "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"
	typeLVM      = "E6D6D379-F507-44C2-A23C-238F2A3DF928"
	typeBIOSBoot = "21686148-6449-6E6F-744E-656564454649"
)

// disk is a source disk for tests.
type disk struct {
	table   part.Table
	volumes []Volume
}

// gptDisk is a disk with sectors of 512 bytes; what makes its partitions is in
// parts, in the order of the disk.
func gptDisk(size int64, parts ...partition) disk {
	return makeDisk(part.Table{Kind: part.GPT, SectorSize: 512, DiskSize: size, ID: "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"}, parts)
}

func mbrDisk(size int64, parts ...partition) disk {
	return makeDisk(part.Table{Kind: part.MBR, SectorSize: 512, DiskSize: size, ID: "c0ffee01"}, parts)
}

// partition is one of a test's partitions. Zero Smallest and RebuildSize stand
// for 'not possible', a zero number for the next one.
type partition struct {
	number        int
	start, length int64
	typ           string
	Volume
}

func makeDisk(t part.Table, parts []partition) disk {
	d := disk{table: t}
	for i, p := range parts {
		if p.number == 0 {
			p.number = i + 1
		}
		entry := part.Partition{Number: p.number, Start: p.start, Length: p.length, Type: p.typ}
		if t.Kind == part.GPT {
			entry.ID = fmt.Sprintf("11111111-2222-4333-8444-%012d", p.number)
		} else {
			entry.Logical, entry.Extended = p.number > 4, p.typ == "05"
		}
		d.table.Partitions = append(d.table.Partitions, entry)
		if entry.Extended {
			continue
		}
		v := p.Volume
		v.Partition = p.number
		for _, n := range []*int64{&v.Smallest, &v.RebuildSize} {
			if *n == 0 {
				*n = -1
			}
		}
		if v.Kind == "" {
			v.Kind = "unknown"
		} else {
			v.End = p.length
		}
		d.volumes = append(d.volumes, v)
	}
	return d
}

func debianUEFI() disk {
	return gptDisk(10*gib,
		partition{start: mib, length: 512 * mib, typ: typeESP, Volume: Volume{Kind: "fat32", Label: "EFI", BlockSize: 4096, RebuildSize: 8 * mib}},
		partition{start: 513 * mib, length: 8703 * mib, typ: typeLinux, Volume: Volume{Kind: "ext4", Label: "root", BlockSize: 4096, Smallest: 4300 * mib, RebuildSize: 4200 * mib, System: true}},
		partition{start: 9 * gib, length: 1023 * mib, typ: typeSwap, Volume: Volume{Kind: "swap", BlockSize: 4096}})
}

func debianBIOS() disk {
	return mbrDisk(10*gib,
		partition{number: 1, start: mib, length: 9215 * mib, typ: "83", Volume: Volume{Kind: "ext4", BlockSize: 4096, Smallest: 4300 * mib, RebuildSize: 4200 * mib, System: true}},
		partition{number: 2, start: 9217*mib - 1024, length: 1022*mib + 1024, typ: "05"},
		partition{number: 5, start: 9217 * mib, length: 1022 * mib, typ: "82", Volume: Volume{Kind: "swap", BlockSize: 4096}})
}

func windows11() disk {
	return gptDisk(64*gib,
		partition{start: mib, length: 100 * mib, typ: typeESP, Volume: Volume{Kind: "fat32", Label: "SYSTEM", BlockSize: 1024, RebuildSize: 40 * mib}},
		partition{start: 101 * mib, length: 16 * mib, typ: typeMSR},
		partition{start: 117 * mib, length: 64*gib - 117*mib - 801*mib, typ: typeBasic, Volume: Volume{Kind: "ntfs", Label: "Windows", BlockSize: 4096, Smallest: 22 * gib, RebuildSize: 21 * gib, System: true}},
		partition{start: 64*gib - 801*mib, length: 800 * mib, typ: typeRecovery, Volume: Volume{Kind: "ntfs", Label: "Recovery", BlockSize: 4096, Smallest: 600 * mib, RebuildSize: 590 * mib}})
}

func fedora() disk {
	return gptDisk(40*gib,
		partition{start: mib, length: 600 * mib, typ: typeESP, Volume: Volume{Kind: "fat32", BlockSize: 4096, RebuildSize: 20 * mib}},
		partition{start: 601 * mib, length: gib, typ: typeLinux, Volume: Volume{Kind: "ext4", Label: "boot", BlockSize: 4096, Smallest: 300 * mib, RebuildSize: 290 * mib}},
		partition{start: 1625 * mib, length: 40*gib - 1626*mib, typ: typeLinux, Volume: Volume{Kind: "btrfs", Label: "fedora", BlockSize: 4096, Smallest: 9 * gib, RebuildSize: 8 * gib, System: true}})
}

// dataDisk has room between its partitions, and an XFS.
func dataDisk() disk {
	return gptDisk(100*gib,
		partition{number: 2, start: mib, length: 20 * gib, typ: typeLinux, Volume: Volume{Kind: "xfs", Label: "mail", BlockSize: 4096, RebuildSize: 5 * gib}},
		partition{number: 1, start: 30 * gib, length: 40 * gib, typ: typeLinux, Volume: Volume{Kind: "ext4", Label: "home", BlockSize: 4096, Smallest: 12 * gib, RebuildSize: 11 * gib}},
		partition{number: 7, start: 75 * gib, length: 10 * gib, typ: typeBasic, Volume: Volume{Kind: "ntfs", Label: "Austausch", BlockSize: 4096, Smallest: 2 * gib, RebuildSize: 2 * gib}})
}

func debianLVM() disk {
	return gptDisk(20*gib,
		partition{start: mib, length: mib, typ: typeBIOSBoot},
		partition{start: 2 * mib, length: 488 * mib, typ: typeLinux, Volume: Volume{Kind: "ext2", Label: "boot", BlockSize: 1024, Smallest: 90 * mib, RebuildSize: 95 * mib}},
		partition{start: 490 * mib, length: 20*gib - 491*mib, typ: typeLVM, Volume: Volume{Kind: "lvm2"}})
}

// oldSectors is a disk as fdisk made it before it aligned anything.
func oldSectors() disk {
	const track = 63 * 512
	return mbrDisk(8*gib,
		partition{number: 1, start: track, length: 4*gib - track, typ: "07", Volume: Volume{Kind: "ntfs", BlockSize: 4096, Smallest: gib, RebuildSize: gib, System: true}},
		partition{number: 2, start: 4 * gib, length: 4 * gib, typ: "05"},
		partition{number: 5, start: 4*gib + track, length: 2 * gib, typ: "83", Volume: Volume{Kind: "ext3", BlockSize: 4096, Smallest: gib, RebuildSize: gib}},
		partition{number: 6, start: 6*gib + 2*track, length: 2*gib - 2*track, typ: "0b", Volume: Volume{Kind: "fat32", BlockSize: 4096, RebuildSize: 100 * mib}})
}

func bare() disk {
	return disk{
		part.Table{Kind: part.None, SectorSize: 512, DiskSize: 4 * gib},
		[]Volume{{Kind: "ext4", BlockSize: 4096, End: 4 * gib, Smallest: gib, RebuildSize: gib}},
	}
}
