package lint

// Of who the machine is.
const (
	NotGeneralized  ID = "windows-not-generalized"
	DomainMember    ID = "domain-member"
	ServiceIdentity ID = "service-identity"
	MachineID       ID = "machine-id"
	HostKeys        ID = "ssh-host-keys"
	RandomSeed      ID = "random-seed"
	CloudInit       ID = "cloud-init"
)

var ofIdentity = []Kind{
	{
		NotGeneralized, Serious, "All machines have the same security identifier, and since the updates of 2025 (KB5070568) Windows refuses log-ons between such machines.",
		"It puts it in place as it is: fine for one machine that takes the place of the old one.",
		"It refuses the profile for more than one machine, and whatever only Windows Setup can do, unless windows.not-generalized is 'force'.",
		"Run 'sysprep /generalize /oobe /shutdown' on the reference PC, and capture it again.",
	},
	{
		DomainMember, Serious, "Machines that share one account in a domain break each other's trust.",
		"It leaves the membership in place.", "On Windows, Setup joins a generalized image anew (windows.domain); on Linux the files stay, and the deploy says so.",
		"Leave the domain on the reference PC (realm leave; on Windows sysprep does it), and capture it again.",
	},
	{
		ServiceIdentity, Warning, "The service takes all machines for one.",
		"It leaves it as it is.", "It leaves it as it is, and says so; a script of the first boot can enrol the machine.", "Remove it on the reference PC, and enrol each machine at its first boot.",
	},
	{
		MachineID, Info, "Machines with the same one get the same address by DHCP, and are one machine to logs and services.",
		"It stays the same on every machine.", "Each machine gets its own (linux.machine-id).", "Deploy with a profile; '{}' is enough.",
	},
	{
		HostKeys, Info, "Who has one machine can pass for all of them.",
		"They stay the same on every machine.", "Each machine gets its own (linux.ssh-host-keys).", "Deploy with a profile; '{}' is enough.",
	},
	{
		RandomSeed, Info, "Machines that begin with the same seed may make the same keys.",
		"It stays the same on every machine.", "Each machine gets its own.", "Deploy with a profile; '{}' is enough.",
	},
	{
		CloudInit, Info, "It takes other machines for the old one and does nothing, or for new ones and undoes what was set.",
		"It leaves it as it is.", "It makes a new instance with the profile's values (linux.cloud-init).", "Deploy with a profile, or run 'cloud-init clean' on the reference PC.",
	},
}

// Of secrets, which everybody gets who gets the image.
const (
	VolumeKey    ID = "volume-key-in-image"
	PrivateKeys  ID = "private-keys"
	Credentials  ID = "stored-credentials"
	RootKeys     ID = "root-authorized-keys"
	Histories    ID = "shell-histories"
	WirelessKeys ID = "wireless-keys"
)

var ofSecrets = []Kind{
	{
		VolumeKey, Serious, "Who has the image can open the encrypted volumes of every machine.",
		"It stays the same on every machine.", "It stays the same on every machine.", "Give each machine its own key at its first boot, and remove this one.",
	},
	{
		PrivateKeys, Serious, "Who has the image can pass for these users elsewhere.",
		"They stay.", "They stay.", "Remove them on the reference PC, replace them where they gave access, and capture again.",
	},
	{
		Credentials, Serious, "Who has the image can log in where these users can.",
		"They stay.", "They stay.", "Remove them on the reference PC, change the passwords, and capture again.",
	},
	{
		RootKeys, Warning, "They open every machine that gets the image.",
		"They stay.", "They stay; those of the profile are added (linux.root-keys).", "Nothing, where they are those of your administrators.",
	},
	{
		Histories, Warning, "They often hold passwords that were typed as arguments.",
		"They stay.", "They stay.", "Remove them on the reference PC, and capture again.",
	},
	{
		WirelessKeys, Warning, "Who has the image, or a machine, can read the keys of these networks.",
		"They stay.", "They stay; wireless connections are not replaced by 'network'.", "Nothing, where all machines belong into these networks; else remove them on the reference PC.",
	},
}

// Of the state that the system was left in.
const (
	WindowsAsleep      ID = "windows-hibernated"
	RegistryNotClean   ID = "registry-not-clean"
	PendingReboot      ID = "pending-reboot"
	PackagesUnfinished ID = "packages-unfinished"
	DeviceEncryption   ID = "device-encryption"
	Snapshots          ID = "snapshots"
	Caches             ID = "caches"
)

var ofState = []Kind{
	{
		WindowsAsleep, Serious, "It would go on with what it remembers of its files, and damage them.",
		"It puts it in place as it is.", "It refuses the profile.", "Shut it down fully (shutdown /s /t 0), switch fast startup off (powercfg /h off), and capture it again.",
	},
	{
		RegistryNotClean, Warning, "The newest settings lie in log files that only Windows replays: what is said here may be old.",
		"It leaves them as they are; Windows replays them.", "It refuses to edit such hives.", "Shut Windows down fully (shutdown /s /t 0), and capture it again.",
	},
	{
		PendingReboot, Warning, "Every machine finishes the same updates at its first start, and sysprep refuses to run before.",
		"It leaves it as it is.", "It leaves it as it is.", "Restart the reference PC until nothing waits, and capture it again.",
	},
	{
		PackagesUnfinished, Warning, "Every machine has to bring it to an end first, and installing packages may fail until then.",
		"It leaves it as it is.", "It leaves it as it is; drivers that are packages may not be installed.", "Run 'dpkg --configure -a' and 'apt -f install', or restart where an update waits, and capture again.",
	},
	{
		DeviceEncryption, Info, "Windows may encrypt the disk of each machine when somebody signs in.",
		"It leaves it as it is.", "It leaves it as it is; windows.registry can set PreventDeviceEncryption.", "Nothing, where that is wanted and recovery keys are kept.",
	},
	{
		Snapshots, Info, "They make the image larger, and keep what was deleted.",
		"They are put in place too; a volume that is made anew has none.", "The same.", "Remove them on the reference PC, and capture again.",
	},
	{
		Caches, Info, "It makes the image larger, and nobody misses it.",
		"It is put in place too.", "It is put in place too.", "Empty it on the reference PC (apt clean, Disk Clean-up), or leave it out (capture --files --exclude).",
	},
}
