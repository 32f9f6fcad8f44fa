package ntfs

import (
	"bytes"
	"context"
	"encoding/binary"
)

const (
	minLogPage = 512
	maxLogPage = 64 << 10

	restartHeaderSize = 0x1E // bytes of RESTART_HDR
	restartAreaSize   = 0x30 // bytes of RESTART_AREA that every version has

	logNoClient      = 0xFFFF
	logVolumeIsClean = 0x0002
)

// restart is what one restart page of $LogFile says about the volume.
type restart struct {
	major   int16
	lsn     uint64 // of two pages, the one with the higher number counts
	clients uint16 // first log client in use, or logNoClient
	flags   uint16
}

// logState is what the restart pages say together.
type logState struct {
	empty  bool // there is nothing but 0xFF, as other drivers leave a log
	torn   bool // a page was being written when the machine stopped
	found  bool
	latest restart
}

// checkLog refuses a volume whose $LogFile has something to replay.
//
// From Windows 8 on a mounted volume has a log of version 2.0, which a clean
// unmount turns back to 1.1: 2.0 is a volume that is still mounted by a
// sleeping Windows, or lost its power.
func (v *vol) checkLog(ctx context.Context) error {
	s, err := v.mft.file(ctx, recordLogFile, "$LogFile")
	if err != nil {
		return err
	}
	log, err := v.readRestarts(&s)
	switch {
	case err != nil:
		return err
	case log.empty:
	case log.torn || !log.found:
		v.refuse(refusedBadLog())
	case log.latest.major >= 2:
		v.refuse(refusedOpenLog())
	case log.latest.clients != logNoClient && log.latest.flags&logVolumeIsClean == 0:
		v.refuse(refusedUncleanLog())
	}
	return nil
}

// readRestarts reads the two restart pages: at the start, and behind the first
// system page, whose size is a power of two that a damaged first page hides.
func (v *vol) readRestarts(s *stream) (logState, error) {
	log := logState{empty: s.size >= minLogPage}
	for at := int64(0); at <= maxLogPage && at+minLogPage <= s.size; at = max(minLogPage, 2*at) {
		p := make([]byte, minLogPage)
		if err := s.readAt(v.r, v.boot, p, at); err != nil {
			return log, err
		}
		if bytes.Equal(p[:4], []byte{0xFF, 0xFF, 0xFF, 0xFF}) {
			continue
		}
		log.empty = false
		if magic := string(p[:4]); magic != "RSTR" && magic != "CHKD" { // CHKD: chkdsk has dealt with it
			continue
		}
		r, ok, err := v.readRestart(s, at, int64(binary.LittleEndian.Uint32(p[0x10:])))
		if err != nil {
			return log, err
		}
		log.torn = log.torn || !ok
		if ok && (!log.found || r.lsn > log.latest.lsn) {
			log.found, log.latest = true, r
		}
	}
	return log, nil
}

// readRestart reads the restart page at byte at of the log, of a size not yet
// checked (RESTART_HDR, RESTART_AREA). It is false for a page that is not whole.
func (v *vol) readRestart(s *stream, at, size int64) (restart, bool, error) {
	if size < minLogPage || size > min(maxLogPage, s.size-at) || !powerOfTwo(size) {
		return restart{}, false, nil
	}
	p := make([]byte, size)
	if err := s.readAt(v.r, v.boot, p, at); err != nil {
		return restart{}, false, err
	}
	le := binary.LittleEndian
	area := int(le.Uint16(p[0x18:]))
	bare := string(p[:4]) == "CHKD" && le.Uint16(p[6:]) == 0 // chkdsk writes pages without an update sequence
	if !bare && undoFixups(p) != nil || area < restartHeaderSize || area > minLogPage-restartAreaSize {
		return restart{}, false, nil
	}
	r := restart{
		major:   int16(le.Uint16(p[0x1C:])),
		lsn:     le.Uint64(p[area:]),
		clients: le.Uint16(p[area+0xC:]),
		flags:   le.Uint16(p[area+0xE:]),
	}
	return r, r.major >= 1, nil
}
