package windows

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/hive"
)

// MountedDevices of SYSTEM says which partition has which drive letter. A partition
// is named by "DMIO:ID:" and its GUID on a GPT disk, by the disk's signature and
// its offset in bytes on an MBR disk.
const (
	mountedKey = "MountedDevices"
	gptMark    = "DMIO:ID:"
)

// mountedDevices makes drive letters follow their partitions. Those of partitions
// that the disk no longer has are taken away; those of other disks stay.
func (s *session) mountedDevices() error {
	h, err := s.open(system)
	if err != nil {
		return err
	}
	key, err := h.Find(mountedKey)
	if errors.Is(err, hive.ErrNotFound) {
		return nil // sysprep takes it away, and Windows makes it anew
	}
	if err != nil {
		return fmt.Errorf("%s: %w", h.name, err)
	}
	values, err := key.Values()
	if err != nil {
		return err
	}
	p := newPlaces(s.job.Disk)
	for _, v := range values {
		p.see(v.Data)
	}
	for _, v := range values {
		to, ok := p.now(v.Data)
		if string(to) == string(v.Data) {
			continue
		}
		e, err := s.edit(system)
		if err != nil {
			return err
		}
		if ok {
			err = e.Set(mountedKey, hive.Value{Name: v.Name, Type: v.Type, Data: to})
		} else {
			err = e.Delete(mountedKey, v.Name)
			s.note("%s stood for a partition that the disk no longer has, and was taken away.", v.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// places knows what the partitions of a disk were and are called.
type places struct {
	disk     customise.Disk
	old, new uint32 // signatures of an MBR disk
	mbr      bool   // they are valid
	onlyOld  bool   // an offset was seen that only the old disk has
	onlyNew  bool
}

func newPlaces(d customise.Disk) *places {
	p := &places{disk: d}
	if d.GPT {
		return p
	}
	old, err := strconv.ParseUint(d.OldID, 16, 32)
	now, err2 := strconv.ParseUint(d.ID, 16, 32)
	p.old, p.new, p.mbr = uint32(old), uint32(now), err == nil && err2 == nil
	return p
}

// see is shown every name before now is asked. On an MBR disk that keeps its
// signature an old offset of one partition may be the new one of another: the
// names together tell whether they were rewritten already.
func (p *places) see(name []byte) {
	if signature, offset, ok := p.mbrName(name); ok && signature == p.old {
		was := slices.ContainsFunc(p.disk.Volumes, func(v customise.Volume) bool { return v.OldStart == offset })
		is := slices.ContainsFunc(p.disk.Volumes, func(v customise.Volume) bool { return v.Start == offset })
		p.onlyOld = p.onlyOld || was && !is
		p.onlyNew = p.onlyNew || is && !was
	}
}

// now is a name as it is to be. ok is false for that of a partition that is gone.
func (p *places) now(name []byte) (to []byte, ok bool) {
	if guid, is := strings.CutPrefix(string(name), gptMark); is && len(guid) == 16 {
		if id, ok := p.gpt([]byte(guid)); ok {
			return append([]byte(gptMark), id...), true
		}
		return name, true
	}
	signature, offset, ok := p.mbrName(name)
	if !ok || signature != p.old {
		return name, true
	}
	start, ok := p.start(offset)
	if !ok {
		return nil, false
	}
	to = binary.LittleEndian.AppendUint32(nil, p.new)
	return binary.LittleEndian.AppendUint64(to, uint64(start)), true
}

func (p *places) mbrName(name []byte) (signature uint32, offset int64, ok bool) {
	if !p.mbr || len(name) != 12 {
		return 0, 0, false
	}
	return binary.LittleEndian.Uint32(name), int64(binary.LittleEndian.Uint64(name[4:])), true
}

// start is where the partition at an offset of the old disk begins now.
func (p *places) start(offset int64) (int64, bool) {
	rewritten := p.old == p.new && p.onlyNew && !p.onlyOld
	for _, v := range p.disk.Volumes {
		switch {
		case rewritten && v.Start == offset:
			return v.Start, true
		case !rewritten && v.OldStart == offset:
			return v.Start, true
		}
	}
	return 0, false
}

// gpt is the GUID that a partition with a GUID has now.
func (p *places) gpt(guid []byte) (now []byte, ok bool) {
	for _, v := range p.disk.Volumes {
		if old, ok := guidBytes(v.OldID); ok && string(old) == string(guid) {
			return guidBytes(v.ID)
		}
	}
	return nil, false
}

// guidBytes is a GUID as Windows stores it: its first three parts little-endian.
func guidBytes(text string) ([]byte, bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(b) != 16 {
		return nil, false
	}
	slices.Reverse(b[0:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return b, true
}
