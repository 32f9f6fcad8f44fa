package lint

import "slices"

// ID names a kind of finding. Part of the JSON output, so never renamed.
type ID string

// Kind is what is the same about all findings of an ID.
type Kind struct {
	ID       ID
	Severity Severity
	Why      string // why it matters, as a sentence
	Plain    string // what a deploy without a profile does about it
	Profiled string // what one with a profile does
	Do       string // what the user can do
}

// Kinds are all findings there are, by topic.
func Kinds() []Kind {
	return slices.Concat(ofDisk, ofStart, ofHardware, ofIdentity, ofSecrets, ofState)
}

// kindOf is the kind of a finding.
func kindOf(id ID) Kind {
	for _, k := range Kinds() {
		if k.ID == id {
			return k
		}
	}
	return Kind{ID: id, Severity: Warning}
}

// Of the disk and its volumes.
const (
	NotLookedAt       ID = "not-looked-at"
	Unreadable        ID = "unreadable-sectors"
	TableRepaired     ID = "table-repaired"
	LargeSectors      ID = "sectors-4096"
	NoSystem          ID = "no-system"
	VolumeMissing     ID = "volume-missing"
	VolumeNotClean    ID = "volume-not-clean"
	VolumeHibernated  ID = "volume-hibernated"
	VolumeDamaged     ID = "volume-damaged"
	VolumeUnsupported ID = "volume-unsupported"
	AllSectors        ID = "volume-all-sectors"
	UnknownVolume     ID = "volume-unknown"
	BitLocker         ID = "volume-bitlocker"
	Encrypted         ID = "volume-encrypted"
	LogicalVolumes    ID = "volume-lvm"
	SoftwareRAID      ID = "volume-raid"
)

var ofDisk = []Kind{
	{
		NotLookedAt, Warning, "What was not seen may matter.",
		"Nothing is known that a deploy would do about it.", "Where the system cannot be read or mounted, a profile cannot be applied either.",
		"Read the reason, and run 'ingot lint' again as root, or after the volume was repaired.",
	},
	{
		Unreadable, Serious, "Files may have holes of zeros where the disk could not be read.",
		"It writes the zeros.", "It writes the zeros.", "Capture again from a disk without errors, or check the files with what made them.",
	},
	{
		TableRepaired, Warning, "One copy of the partition table was damaged or out of place.",
		"It writes both copies anew, in order.", "It writes both copies anew, in order.", "Nothing; look at the disk's health if it was not resized or cloned.",
	},
	{
		LargeSectors, Info, "Most disks have logical sectors of 512 bytes, and a table or volume made for others cannot be read there.",
		"On a disk with other sectors it makes the table anew, and file systems that depend on the sector size too, or refuses by name.",
		"The same.", "Nothing, where all machines have such disks.",
	},
	{
		NoSystem, Info, "There is nothing that could be made one machine's own.",
		"It puts the content in place.", "It refuses the profile.", "Nothing, where the image is of data.",
	},
	{
		VolumeMissing, Warning, "The system waits for what fstab names, and may not start without it.",
		"It leaves fstab as it is.", "It leaves lines of fstab that name none of the image's volumes as they are.",
		"Take the line out of fstab, add 'nofail', or capture the volume too.",
	},
	{
		VolumeNotClean, Serious, "Its map of free space cannot be trusted, so that every sector has to be taken, and its newest changes may be lost.",
		"It puts it in place as it is; the tools refuse to change its size.", "It may refuse to mount it, and then the profile.",
		"Shut the system down cleanly (on Windows: shutdown /s /t 0), or check the volume with its fsck, and capture it again.",
	},
	{
		VolumeHibernated, Serious, "A system sleeps on it that would go on with what it remembers of its files, and damage them.",
		"It puts it in place as it is; the tools refuse to change its size.", "It refuses a Windows that is asleep.",
		"Start the system, switch hibernation and fast startup off (on Windows: powercfg /h off), shut it down, and capture it again.",
	},
	{
		VolumeDamaged, Serious, "Its structures contradict each other.",
		"It puts it in place as it is; the tools refuse to change its size.", "It may refuse to mount it, and then the profile.",
		"Check it with its own fsck (chkdsk on Windows), and capture it again.",
	},
	{
		VolumeUnsupported, Warning, "It has a feature that this program does not know, or that makes its map useless.",
		"It puts every sector in place, and leaves its size as it is.", "The same; its files are edited where the volume can be mounted.",
		"Nothing, where the disks are large enough; else make the file system without the feature, or capture with --files.",
	},
	{
		AllSectors, Info, "Free space was taken too, which makes the image larger and slower, and keeps what was deleted.",
		"It writes all of it.", "It writes all of it.", "Capture again without --raw.",
	},
	{
		UnknownVolume, Info, "All of it is taken, and nothing can be said about it.",
		"It puts it in place as it is.", "It puts it in place as it is.", "Nothing, if you know what it is.",
	},
	{
		BitLocker, Serious, "All of it has to be taken, and other machines ask for the recovery key, since the TPM that opens it is not theirs.",
		"It puts it in place as it is, on a disk that is large enough; its size cannot be changed.", "It cannot reach the Windows inside, and refuses the profile.",
		"Decrypt it on the reference PC (manage-bde -off C:), wait until that is done, and capture again.",
	},
	{
		Encrypted, Warning, "All of it has to be taken, and each machine has the same key.",
		"It puts it in place as it is, on a disk that is large enough; its size cannot be changed.", "It cannot reach files inside.",
		"Capture a system that is not encrypted, and encrypt each machine; or change passphrase and volume key (cryptsetup reencrypt) on each.",
	},
	{
		LogicalVolumes, Warning, "The volumes inside are taken together, by what is used of them.",
		"It puts them in place as they are; their sizes cannot be changed.", "It cannot reach files inside.",
		"Install the reference PC without LVM, where the size of disks differs or a profile is wanted.",
	},
	{
		SoftwareRAID, Warning, "One member of an array is not the array.",
		"It puts it in place as it is.", "It cannot reach files inside an array.", "Capture the array's device (/dev/md0), or the disk of a machine without RAID.",
	},
}

// Of what starts the machine.
const (
	NoESP         ID = "no-esp"
	NoLoader      ID = "esp-no-loader"
	LoaderDamaged ID = "esp-loader-damaged"
	NoFallback    ID = "esp-no-fallback"
	Only32Bit     ID = "esp-32-bit-only"
	SignedBy2011  ID = "secure-boot-2011-only"
	SignedBy2023  ID = "secure-boot-2023-only"
	Unsigned      ID = "secure-boot-unsigned"
)

var ofStart = []Kind{
	{
		NoESP, Warning, "Machines without a BIOS mode do not start from the disk.",
		"It looks at the end whether the disk starts, and says so.", "The same.", "Install the reference PC in UEFI mode.",
	},
	{
		NoLoader, Serious, "UEFI firmware finds nothing to start.",
		"It looks at the end whether the disk starts, and fails when it does not.", "The same.", "Install the boot loader on the reference PC, and capture it again.",
	},
	{
		LoaderDamaged, Serious, "Firmware refuses it.",
		"It looks at the end whether the disk starts, and fails when it does not.", "It puts a sound loader at the fallback's place, if there is one.",
		"Install the boot loader on the reference PC anew, and capture it again.",
	},
	{
		NoFallback, Warning, "A machine that has no boot entry for the disk, as all but the reference PC, does not start it.",
		"It makes a boot entry where it runs on the machine itself and is told to (--boot-entry).", "It puts the image's own loader at that place.",
		"Deploy with a profile, or copy the loader to EFI/BOOT on the reference PC (grub-install --removable).",
	},
	{
		Only32Bit, Warning, "Most firmware is of 64 bits and starts none of them.",
		"It leaves them as they are.", "It leaves them as they are.", "Install the loader for 64 bits too.",
	},
	{
		SignedBy2011, Warning, "With Secure Boot, firmware that trusts the authorities of 2023 alone, or has revoked the old ones, refuses it.",
		"It leaves it as it is.", "It leaves it as it is.", "Update shim (or Windows' boot files) on the reference PC to one that was signed by both.",
	},
	{
		SignedBy2023, Warning, "With Secure Boot, firmware that was not updated trusts the authorities of 2011 alone and refuses it.",
		"It leaves it as it is.", "It leaves it as it is.", "Update the keys of machines (db) first, or use a loader that was signed by both.",
	},
	{
		Unsigned, Info, "With Secure Boot, firmware refuses it.",
		"It leaves it as it is.", "It leaves it as it is.", "Nothing, where Secure Boot is off; else install the distribution's signed loader.",
	},
}

// Of hardware: what runs on the reference PC alone.
const (
	KernelNames       ID = "kernel-device-names"
	HardwareNames     ID = "hardware-device-names"
	PartitionNames    ID = "partition-id-names"
	Resume            ID = "resume-device"
	HostOnly          ID = "initramfs-host-only"
	NoFirmware        ID = "firmware-missing"
	OneVendor         ID = "drivers-one-vendor"
	GuestTools        ID = "virtual-machine-tools"
	HardwareLeftovers ID = "hardware-leftovers"
	BoundToMAC        ID = "network-bound-to-mac"
	TPMBound          ID = "tpm-bound"
)

var ofHardware = []Kind{
	{
		KernelNames, Warning, "On a machine with NVMe, or with two disks, such a name is another disk or none.",
		"It leaves such names as they are.", "It leaves such names as they are.", "Name volumes by UUID= on the reference PC (blkid shows them).",
	},
	{
		HardwareNames, Serious, "The name holds the serial number or the connector of the reference PC's disk: no other machine has it, and the system waits for it or does not start.",
		"It leaves such names as they are.", "It leaves such names as they are.", "Name volumes by UUID= on the reference PC (blkid shows them).",
	},
	{
		PartitionNames, Info, "Such names break when partitions get new IDs.",
		"It keeps the IDs of partitions; with --new-ids it edits the names.", "The same.", "Nothing.",
	},
	{
		Resume, Info, "A session that was put to sleep is looked for there at each start.",
		"It keeps the swap's UUID; where that changes it edits the name and makes the initial RAM disk anew.", "The same.", "Nothing, where the name is a UUID.",
	},
	{
		HostOnly, Warning, "A machine with another disk controller does not find its disk.",
		"It leaves it as it is.", "It makes it anew only when it names a volume that changed, and then by the image's own setting.",
		"On Debian set MODULES=most and run update-initramfs -u -k all; with dracut set hostonly=no and run dracut --force --regenerate-all.",
	},
	{
		NoFirmware, Warning, "Wireless networks, graphics and some network cards stay dead on real hardware.",
		"It adds nothing.", "The driver sets of each machine are added (drivers), firmware packages among them.", "Install the firmware packages of the distribution, or deploy with driver sets.",
	},
	{
		OneVendor, Info, "The image was made for machines of one make; others may lack drivers.",
		"It leaves them as they are.", "The driver sets of each machine are added (drivers), and the plan names devices without a driver.", "Keep driver sets for your models (doc/drivers.md).",
	},
	{
		GuestTools, Info, "They are of no use on real hardware.",
		"It leaves them as they are.", "It leaves them as they are.", "Remove them, where the image is for real machines alone.",
	},
	{
		HardwareLeftovers, Info, "Interfaces get odd names, and two machines ask for the same lease.",
		"It leaves them as they are.", "It removes them; the system makes them anew.", "Deploy with a profile.",
	},
	{
		BoundToMAC, Warning, "No other machine has an interface with that address, so it comes up without a network, or with the wrong one.",
		"It leaves it as it is.", "A profile with 'network' replaces wired connections; else it stays, and the deploy says so.", "Give the profile a 'network', or take the MAC out on the reference PC.",
	},
	{
		TPMBound, Warning, "No other TPM can give these keys away: machines ask for a passphrase, and users cannot sign in by PIN until they set it up again.",
		"It leaves it as it is.", "It leaves it as it is.", "Remove the binding on the reference PC (clevis luks unbind, systemd-cryptenroll --wipe-slot=tpm2; on Windows: generalize it).",
	},
}
