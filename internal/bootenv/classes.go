package bootenv

// class is a kind of hardware or file system, and the kernel modules for it, as paths
// below the kernel's folder of modules (kmod.Tree.Choose).
type class struct {
	what    string
	modules []string
}

// modulePatterns are the modules of all classes.
func modulePatterns() (patterns []string) {
	for _, c := range classes {
		patterns = append(patterns, c.modules...)
	}
	return patterns
}

// classes is all that the boot environment has drivers for. Left out are: wireless
// networks and Bluetooth (a PC is imaged by cable), Fibre Channel and converged
// adapters of servers, graphics (the firmware's screen is used), sound.
var classes = []class{
	{"disks: NVMe, also behind Intel's VMD", []string{
		"drivers/nvme/host/nvme", "drivers/pci/controller/vmd",
	}},
	{"disks: SATA and IDE", []string{"drivers/ata"}},
	{"disks: SCSI, SAS and RAID adapters", []string{
		"drivers/scsi/sd_mod", "drivers/scsi/sr_mod", "drivers/scsi/sg",
		"drivers/scsi/megaraid", "drivers/scsi/mpt3sas", "drivers/scsi/mpi3mr", "drivers/scsi/hpsa", "drivers/scsi/smartpqi",
		"drivers/scsi/aacraid", "drivers/scsi/arcmsr", "drivers/scsi/aic7xxx", "drivers/scsi/isci", "drivers/scsi/mvsas",
		"drivers/scsi/mvumi", "drivers/scsi/pm8001", "drivers/scsi/hptiop", "drivers/scsi/3w-9xxx", "drivers/scsi/3w-sas",
		"drivers/message/fusion/mptsas", "drivers/message/fusion/mptspi",
	}},
	{"disks: virtual machines", []string{
		"drivers/block/virtio_blk", "drivers/scsi/virtio_scsi", "drivers/scsi/vmw_pvscsi", "drivers/scsi/hv_storvsc",
		"drivers/block/xen-blkfront",
	}},
	{"disks: USB", []string{"drivers/usb/storage"}},
	{"disks: SD cards and eMMC", []string{
		"drivers/mmc/core", "drivers/mmc/host/sdhci-pci", "drivers/mmc/host/sdhci-acpi", "drivers/mmc/host/rtsx_*",
		"drivers/misc/cardreader",
	}},
	{"disks: RAID, LVM and encryption by Linux", []string{
		"drivers/md/md-mod", "drivers/md/linear", "drivers/md/raid*", "drivers/md/dm-mod", "drivers/md/dm-crypt",
		"drivers/md/dm-integrity", "drivers/md/dm-mirror", "drivers/md/dm-raid", "drivers/md/dm-snapshot",
		"drivers/md/dm-thin-pool", "drivers/md/dm-zero", "crypto/xts", "crypto/essiv", "crypto/cbc",
		"arch/x86/crypto/aesni-intel",
	}},
	{"images as disks", []string{"drivers/block/loop", "drivers/block/nbd", "drivers/block/zram"}},

	{"buses: USB, Thunderbolt, PCI, virtual machines", []string{
		"drivers/usb/host/xhci-pci", "drivers/usb/host/ehci-pci", "drivers/usb/host/ohci-pci", "drivers/usb/host/uhci-hcd",
		"drivers/thunderbolt", "drivers/pci/controller/pci-hyperv", "drivers/hv/hv_vmbus", "drivers/hv/hv_utils",
		"drivers/virtio/virtio_pci", "drivers/virtio/virtio_mmio", "drivers/virtio/virtio_balloon",
	}},

	{"keyboards", []string{
		"drivers/hid/usbhid/usbhid", "drivers/hid/hid-generic", "drivers/hid/hid-a4tech", "drivers/hid/hid-apple",
		"drivers/hid/hid-belkin", "drivers/hid/hid-cherry", "drivers/hid/hid-chicony", "drivers/hid/hid-cypress",
		"drivers/hid/hid-ezkey", "drivers/hid/hid-holtek-kbd", "drivers/hid/hid-hyperv", "drivers/hid/hid-ite",
		"drivers/hid/hid-kensington", "drivers/hid/hid-lenovo", "drivers/hid/hid-logitech", "drivers/hid/hid-logitech-dj",
		"drivers/hid/hid-logitech-hidpp", "drivers/hid/hid-microsoft", "drivers/hid/hid-primax", "drivers/hid/hid-redragon",
		"drivers/hid/hid-semitek", "drivers/hid/hid-sunplus", "drivers/hid/hid-topseed", "drivers/hid/i2c-hid",
		"drivers/hid/surface-hid", "drivers/platform/surface/surface_aggregator_registry", "drivers/platform/surface/aggregator",
		"drivers/input/evdev", "drivers/input/serio/hyperv-keyboard", "drivers/virtio/virtio_input",
		"drivers/mfd/intel-lpss-pci", "drivers/mfd/intel-lpss-acpi", "drivers/i2c/busses/i2c-designware-*",
		"drivers/pinctrl/intel",
	}},
	{"serial ports on USB, and of virtual machines", []string{
		"drivers/usb/serial/ftdi_sio", "drivers/usb/serial/pl2303", "drivers/usb/serial/cp210x", "drivers/usb/class/cdc-acm",
		"drivers/char/virtio_console", "drivers/char/hw_random/virtio-rng",
	}},

	{"network: wired cards", []string{
		"drivers/net/ethernet/3com/3c59x", "drivers/net/ethernet/amd", "drivers/net/ethernet/aquantia",
		"drivers/net/ethernet/atheros", "drivers/net/ethernet/broadcom", "drivers/net/ethernet/dec/tulip",
		"drivers/net/ethernet/intel", "drivers/net/ethernet/jme", "drivers/net/ethernet/marvell",
		"drivers/net/ethernet/mellanox/mlx4", "drivers/net/ethernet/mellanox/mlx5", "drivers/net/ethernet/microchip/lan743x",
		"drivers/net/ethernet/nvidia/forcedeth", "drivers/net/ethernet/realtek", "drivers/net/ethernet/sis",
		"drivers/net/ethernet/stmicro", "drivers/net/ethernet/via", "drivers/net/phy", "drivers/net/mdio",
		"!drivers/net/ethernet/broadcom/cnic", "!drivers/net/ethernet/amd/nmclan_cs",
	}},
	{"network: USB and docks", []string{
		"drivers/net/usb/aqc111", "drivers/net/usb/asix", "drivers/net/usb/ax88179_178a", "drivers/net/usb/cdc_*",
		"drivers/net/usb/ch9200", "drivers/net/usb/dm9601", "drivers/net/usb/lan78xx", "drivers/net/usb/mcs7830",
		"drivers/net/usb/pegasus", "drivers/net/usb/r8152", "drivers/net/usb/r8153_ecm", "drivers/net/usb/rndis_host",
		"drivers/net/usb/rtl8150", "drivers/net/usb/smsc75xx", "drivers/net/usb/smsc95xx", "drivers/net/usb/sr9700",
		"drivers/net/usb/sr9800", "!drivers/net/usb/cdc_mbim", "!drivers/net/usb/cdc-phonet",
	}},
	{"network: virtual machines", []string{
		"drivers/net/virtio_net", "drivers/net/vmxnet3", "drivers/net/hyperv", "drivers/net/xen-netfront",
		"drivers/net/ethernet/amazon", "drivers/net/ethernet/google", "drivers/net/ethernet/microsoft",
	}},
	{"network: tagged networks", []string{"net/8021q"}},

	{"file systems", []string{
		"fs/ext4", "fs/xfs", "fs/btrfs", "fs/fat", "?fs/ntfs3", "fs/exfat", "fs/isofs", "fs/udf", "fs/squashfs", "fs/overlayfs",
		"fs/fuse/fuse", "fs/nls", "fs/efivarfs", "crypto/crc32c_generic", "arch/x86/crypto/crc32c-intel",
		"arch/x86/crypto/crc32-pclmul", "arch/x86/crypto/crct10dif-pclmul", "arch/x86/crypto/sha256-ssse3",
	}},

	{"watchdogs", []string{
		"drivers/watchdog/i6300esb", "drivers/watchdog/iTCO_wdt", "drivers/watchdog/softdog", "drivers/watchdog/sp5100_tco",
		"drivers/watchdog/wdat_wdt", "drivers/watchdog/hpwdt", "drivers/mfd/lpc_ich", "drivers/mfd/intel_pmc_bxt",
		"drivers/i2c/busses/i2c-i801", "drivers/i2c/busses/i2c-piix4",
	}},
	{"power, heat and speed", []string{
		"drivers/acpi/ac", "drivers/acpi/battery", "drivers/acpi/button", "drivers/acpi/fan", "drivers/cpufreq/acpi-cpufreq",
	}},
	{"identity of the PC", []string{"drivers/firmware/dmi-sysfs", "drivers/char/tpm"}},
}
