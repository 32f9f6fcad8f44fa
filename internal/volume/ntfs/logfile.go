package ntfs

import (
	"bytes"
	"context"
	"encoding/binary"
)

const (
	minLogPage = 512
	maxLogPage = 64 << 10

	logNoClient      = 0xFFFF
	logVolumeIsClean = 0x0002
)

// restart is what one restart page of $LogFile says about the volume.
type restart struct {
	major, minor int16
	lsn          uint64 // of two pages, the one with the higher number counts
	clients      uint16 // first log client in use, or logNoClient
	flags        uint16
}

// checkLog refuses a volume whose $LogFile has something to replay. A log full
// of 0xFF, as every other driver leaves it, is empty.
//
// From Windows 8 on a mounted volume has a log of version 2.0, which a clean
// unmount turns back to 1.1: 2.0 is a volume that is still mounted by a
// sleeping Windows, or lost its power.
func (v *vol) checkLog(ctx context.Context) error {
	s, err := v.mft.file(ctx, recordLogFile, "$LogFile")
	if err != nil {
		return err
	}
	latest, empty, err := v.readRestart(&s)
	switch {
	case err != nil:
		return err
	case empty:
	case latest == nil:
		v.refuse(refusedBadLog())
	case latest.major >= 2:
		v.refuse(refusedOpenLog())
	case latest.clients != logNoClient && latest.flags&logVolumeIsClean == 0:
		v.refuse(refusedUncleanLog())
	}
	return nil
}

// readRestart returns the later one of the restart pages; nil when none is
// good. They lie at the start and one system page, of unknown size, behind it.
func (v *vol) readRestart(s *stream) (latest *restart, empty bool, err error) {
	empty = s.size >= minLogPage
	for at := int64(0); at <= maxLogPage && at+minLogPage <= s.size; at = max(minLogPage, 2*at) {
		p := make([]byte, minLogPage)
		if err := s.readAt(v.r, v.boot, p, at); err != nil {
			return nil, false, err
		}
		if bytes.Equal(p[:4], []byte{0xFF, 0xFF, 0xFF, 0xFF}) {
			continue
		}
		empty = false
		page, ok := restartPage(p)
		if !ok || page > s.size-at {
			continue
		}
		p = make([]byte, page)
		if err := s.readAt(v.r, v.boot, p, at); err != nil {
			return nil, false, err
		}
		if r, ok := parseRestart(p); ok && (latest == nil || r.lsn > latest.lsn) {
			latest = &r
		}
	}
	return latest, empty, nil
}

// restartPage returns the size of the restart page that begins with p. chkdsk
// changes the signature of the pages it has dealt with.
func restartPage(p []byte) (int64, bool) {
	if magic := string(p[:4]); magic != "RSTR" && magic != "CHKD" {
		return 0, false
	}
	size := int64(binary.LittleEndian.Uint32(p[0x10:]))
	return size, size >= minLogPage && size <= maxLogPage && powerOfTwo(size)
}

// parseRestart decodes a whole restart page (RESTART_HDR, RESTART_AREA), which
// it changes.
func parseRestart(p []byte) (restart, bool) {
	le := binary.LittleEndian
	if undoFixups(p) != nil {
		return restart{}, false
	}
	r := restart{minor: int16(le.Uint16(p[0x1A:])), major: int16(le.Uint16(p[0x1C:]))}
	area := int(le.Uint16(p[0x18:]))
	if area < 0x1E || area > minLogPage-0x30 {
		return r, false
	}
	r.lsn = le.Uint64(p[area:])
	r.clients, r.flags = le.Uint16(p[area+0xC:]), le.Uint16(p[area+0xE:])
	return r, r.major >= 1
}
