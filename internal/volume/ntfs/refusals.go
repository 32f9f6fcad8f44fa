package ntfs

import (
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	runChkdsk = "Run chkdsk /f on it in Windows and shut Windows down, or take every sector with --raw."
	shutDown  = "In Windows run \"shutdown /s /t 0\", or hold Shift while clicking Shut down; " +
		"\"powercfg /h off\" ends hibernation and fast startup for good."
)

func refusedBackupBoot() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Damaged,
		What:     "the boot sector is damaged, so that nothing can mount or start it; the backup at the end of the partition is good",
		Do:       "Put the backup in its place with TestDisk (Advanced, Boot, Backup BS), or take every sector with --raw.",
		Waivable: true,
	}
}

func refusedTruncated(claimed, size int64) volume.Refusal {
	return volume.Refusal{
		Reason: volume.Damaged,
		What:   fmt.Sprintf("it is %d bytes long and its partition only %d", claimed, size),
		Do:     "Correct the partition table, or take every sector with --raw.",
	}
}

func refusedDamage(damage *volume.DamageError) volume.Refusal {
	return volume.Refusal{Reason: volume.Damaged, What: strings.TrimPrefix(damage.Error(), kind+" "), Do: runChkdsk}
}

func refusedMirror(record int64) volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Damaged,
		What:     fmt.Sprintf("MFT record %d differs from its copy in $MFTMirr", record),
		Do:       runChkdsk,
		Waivable: true,
	}
}

func refusedVersion(major, minor byte) volume.Refusal {
	return volume.Refusal{
		Reason: volume.Unknown,
		What:   fmt.Sprintf("it is NTFS version %d.%d; versions 1.x and 3.x are known", major, minor),
		Do:     "Take every sector with --raw.",
	}
}

func refusedHibernated() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Hibernated,
		What:     "Windows is hibernated on it, or was shut down with fast startup: part of its content is in hiberfil.sys",
		Do:       shutDown,
		Waivable: true,
	}
}

func refusedOpenLog() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.NeedsReplay,
		What:     "its log is that of a mounted volume: Windows sleeps, or was cut off before it could unmount",
		Do:       shutDown,
		Waivable: true,
	}
}

func refusedUncleanLog() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.NeedsReplay,
		What:     "its log holds changes that are not yet written",
		Do:       "Start Windows and shut it down fully, or run chkdsk /f on the volume.",
		Waivable: true,
	}
}

func refusedBadLog() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.NeedsReplay,
		What:     "its log cannot be read, so nobody knows what it holds",
		Do:       runChkdsk,
		Waivable: true,
	}
}

func refusedDirty() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Dirty,
		What:     "it is marked dirty: it was not cleanly unmounted, or Windows found errors",
		Do:       runChkdsk,
		Waivable: true,
	}
}

func refusedChkdsk() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Dirty,
		What:     "a run of chkdsk was interrupted",
		Do:       runChkdsk,
		Waivable: true,
	}
}
