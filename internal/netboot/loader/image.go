package loader

import (
	"bytes"
	"fmt"
	"net/netip"
)

// HTTPImage is the file that UEFI firmware is given when it boots by HTTP: the image
// of a small disk in memory, FAT without a partition table, which the builder of
// the boot environment fills with
//
//	EFI/BOOT/BOOTX64.EFI  shim
//	EFI/BOOT/GRUBX64.EFI  GRUB with its network drivers, as for PXE
//	GRUB/GRUB.CFG         ImageText
//
// since GRUB 2.06, started by HTTP as such, does not find a text of its own and
// stops at its prompt.
const HTTPImage = "httpboot.img"

// addressMark stands for the server's address in an image, and is longer than any.
const addressMark = "@INGOT-SERVER-ADDRESS@"

// ImageText is the text in an image. Each network card asks for an address, and the
// first one for which the server has a second text is the one.
func ImageText() []byte {
	return []byte(`# Made by ingot. The server puts its address here when it gives the image away.
set ingot_server=` + addressMark + `
set pager=0
if serial --unit=0 --speed=115200; then
  terminal_output console serial
fi
for ingot_try in 1 2 3; do
  net_bootp
  for ingot_mac in "${net_efinet0_dhcp_mac}" "${net_efinet1_dhcp_mac}" "${net_efinet2_dhcp_mac}" "${net_efinet3_dhcp_mac}"; do
    if [ -n "${ingot_mac}" ]; then
      source (tftp,${ingot_server})/grub/pc/${ingot_mac}.cfg
    fi
  done
  echo "ingot: ${ingot_server} did not say what to start (try ${ingot_try} of 3)"
  sleep 5
done
echo 'ingot: the firmware goes on in 10 seconds; it may open its menu'
sleep 10
exit
`)
}

// Address puts the server's address into an image, in place.
func Address(image []byte, server netip.Addr) error {
	at := bytes.Index(image, []byte(addressMark))
	if at < 0 {
		return fmt.Errorf("%s has no place for the server's address: make the boot environment again with 'ingot bootenv build'", HTTPImage)
	}
	copy(image[at:], fmt.Sprintf("%-*s", len(addressMark), server))
	return nil
}
