package windows

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// stores are the places of BCD: on the EFI system partition, on the system
// partition of a BIOS machine, and that of Windows RE.
func stores() []string {
	return []string{"EFI/Microsoft/Boot/BCD", "EFI/Microsoft/Recovery/BCD", "Boot/BCD"}
}

// FixBCD makes the boot manager's stores in root, which is the EFI system
// partition or the active partition of a BIOS machine, refer to the disk as it is
// now. A volume without a store is left as it is.
func FixBCD(root *rootfs.Root, disk customise.Disk) (*customise.Report, error) {
	t := newTree(root)
	if err := t.fixStores(disk); err != nil {
		return nil, fmt.Errorf("make the boot menu fit: %w", err)
	}
	if err := t.save(); err != nil {
		return nil, fmt.Errorf("make the boot menu fit: %w", err)
	}
	return &t.report, nil
}

// bootMenu is FixBCD for a Windows that is started from its own volume.
func (s *session) bootMenu() error { return s.fixStores(s.job.Disk) }

func (t *tree) fixStores(disk customise.Disk) error {
	for _, name := range stores() {
		h, err := t.open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		elements, err := deviceElements(h.Hive)
		if err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
		if err := t.fixStore(name, h, elements, disk); err != nil {
			return err
		}
	}
	return nil
}

// element is an element of a BCD object that names devices.
type element struct {
	path string
	data []byte
}

// deviceElements returns the elements of all objects whose format is that of a
// device: the second digit of their number is 1, as in 11000001 and 21000001.
func deviceElements(h *hive.Hive) ([]element, error) {
	objects, err := h.Find("Objects")
	if errors.Is(err, hive.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	all, err := objects.Keys()
	if err != nil {
		return nil, err
	}
	var found []element
	for _, object := range all {
		elements, err := object.Key("Elements")
		if err != nil {
			continue // an object without any
		}
		keys, err := elements.Keys()
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			name := k.Name()
			if len(name) != 8 || name[1] != '1' {
				continue
			}
			if v, err := k.Value("Element"); err == nil && v.Type == hive.Binary {
				found = append(found, element{`Objects\` + object.Name() + `\Elements\` + name, v.Data})
			}
		}
	}
	return found, nil
}

func (t *tree) fixStore(name string, h *openHive, elements []element, disk customise.Disk) error {
	p := newPlaces(disk)
	for _, el := range elements {
		for r := range records(el.data) {
			p.see(r.mbrName())
		}
	}
	for _, el := range elements {
		data, lost := p.rewrite(el.data)
		if lost {
			t.note("The boot menu %s has an entry for a partition that the disk no longer has (%s).", h.name, el.path)
		}
		if string(data) == string(el.data) {
			continue
		}
		e, err := t.edit(name)
		if err != nil {
			return err
		}
		if err := e.Set(el.path, hive.Bytes("Element", data)); err != nil {
			return fmt.Errorf("%s: %w", h.name, err)
		}
	}
	return nil
}

// A record that names a partition, inside the data of a device element. It stands
// there alone behind a GUID, or inside that of a file or a RAM disk, aligned to
// four bytes. Found by comparing stores with the disks they were on; Microsoft
// describes the meaning only (BcdDeviceQualifiedPartitionData).
const (
	recordSize  = 0x48
	recordPart  = 0x10 // GUID, or offset in bytes
	recordStyle = 0x24
	recordDisk  = 0x28 // GUID, or signature
	styleGPT    = 0
	styleMBR    = 1
)

type record []byte

// records yields the records in the data of an element; changing one changes data.
func records(data []byte) func(yield func(record) bool) {
	le := binary.LittleEndian
	return func(yield func(record) bool) {
		for at := 0; at+recordSize <= len(data); at += 4 {
			r := data[at:]
			if le.Uint32(r) != 6 || le.Uint32(r[4:]) != 0 || le.Uint32(r[8:]) != recordSize || le.Uint32(r[12:]) != 0 {
				continue // a kind of 6, without flags, of this size
			}
			if !yield(record(r[:recordSize])) {
				return
			}
		}
	}
}

func (r record) style() uint32 { return binary.LittleEndian.Uint32(r[recordStyle:]) }

// mbrName is what r names as MountedDevices would; nil on a GPT disk.
func (r record) mbrName() []byte {
	if r.style() != styleMBR {
		return nil
	}
	return slices.Concat(r[recordDisk:recordDisk+4], r[recordPart:recordPart+8])
}

// rewrite is the data of an element with every record as it is to be. lost says
// that one names a partition of the disk that is gone.
func (p *places) rewrite(data []byte) (out []byte, lost bool) {
	out = slices.Clone(data)
	oldDisk, ok := guidBytes(p.disk.OldID)
	newDisk, ok2 := guidBytes(p.disk.ID)
	for r := range records(out) {
		switch {
		case r.style() == styleMBR:
			to, found := p.now(r.mbrName())
			if !found {
				lost = true
				continue
			}
			copy(r[recordDisk:], to[:4])
			copy(r[recordPart:], to[4:])
		case r.style() == styleGPT && ok && ok2 && string(r[recordDisk:recordDisk+16]) == string(oldDisk):
			part, found := p.gpt(r[recordPart : recordPart+16])
			if !found {
				lost = lost || !p.isNow(r[recordPart:recordPart+16])
				continue
			}
			copy(r[recordDisk:], newDisk)
			copy(r[recordPart:], part)
		}
	}
	return out, lost
}

// isNow reports whether a partition has a GUID now.
func (p *places) isNow(guid []byte) bool {
	return slices.ContainsFunc(p.disk.Volumes, func(v customise.Volume) bool {
		b, ok := guidBytes(v.ID)
		return ok && string(b) == string(guid)
	})
}
