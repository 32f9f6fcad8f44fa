package tftp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"time"
)

// send serves one request from a port of its own.
func (s *Server) send(ctx context.Context, r request, peer netip.AddrPort) (sent, size int64, err error) {
	from := net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.config.Addr.Addr(), 0))
	dialer := net.Dialer{LocalAddr: from, Control: s.bind}
	c, err := dialer.DialContext(ctx, "udp4", peer.String())
	if err != nil {
		return 0, 0, fmt.Errorf("open a port for TFTP: %w", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	f, err := s.config.Files.Open(ctx, r.name, peer.Addr())
	if err != nil {
		code, text := byte(codeOther), "the server cannot read this file"
		if errors.Is(err, fs.ErrNotExist) {
			code, text = codeNotFound, "file not found"
		}
		_, _ = c.Write(errorPacket(code, text))
		return 0, 0, err
	}
	defer f.Close()
	o := &outgoing{request: r, conn: c, file: f, size: f.Size(), wait: s.config.firstTimeout}
	if r.timeout > 0 {
		o.wait = min(maxWait, time.Duration(r.timeout)*time.Second)
	}
	err = o.run(ctx)
	return min(max(0, o.next-1)*int64(r.block), o.size), o.size, err
}

// A window that is not acknowledged is sent again after a wait that doubles
// up to maxWait, maxTries times: about 20 seconds in all.
const (
	maxWait  = 4 * time.Second
	maxTries = 7
)

var errSilent = errors.New("the client does not answer any more")

// outgoing is a file on its way. Blocks count from 1 and do not wrap; on the wire
// they are their lowest 16 bits, so that a file may have any size.
type outgoing struct {
	request
	conn net.Conn
	file io.ReaderAt
	size int64
	wait time.Duration

	next int64  // first block that is not acknowledged; 0: the options are not
	sent int64  // last block that was sent
	from int64  // first block of data
	data []byte // contents of a window
	ack  [516]byte
	pkt  []byte
}

// last is the block that ends the file: the first one that is not full, if need be
// an empty one.
func (o *outgoing) last() int64 { return o.size/int64(o.block) + 1 }

func (o *outgoing) run(ctx context.Context) error {
	if len(o.options) == 0 {
		o.next = 1
	}
	o.pkt = make([]byte, 4+o.block)
	for o.next <= o.last() {
		if err := o.advance(); err != nil {
			if ctx.Err() != nil {
				_, _ = o.conn.Write(errorPacket(codeOther, "the server stops"))
				return context.Cause(ctx)
			}
			return err
		}
	}
	return nil
}

// advance sends the next window until at least one of its blocks is acknowledged.
func (o *outgoing) advance() error {
	begin, wait, again := o.next, o.wait, o.window > 1
	for range maxTries {
		if err := o.burst(); err != nil {
			return err
		}
		missed, err := o.await(time.Now().Add(wait), again)
		if err != nil || o.next > begin {
			return err
		}
		if !missed {
			wait = min(2*wait, maxWait)
		}
		again = again && !missed
	}
	return errSilent
}

// burst sends the blocks of one window.
func (o *outgoing) burst() error {
	if o.next == 0 {
		o.sent = 0
		_, err := o.conn.Write(o.optionAck(o.size))
		return err
	}
	end := min(o.next+int64(o.window), o.last()+1)
	for n := o.next; n < end; n++ {
		data, err := o.blockData(n)
		if err != nil {
			_, _ = o.conn.Write(errorPacket(codeOther, "the server cannot read this file"))
			return err
		}
		o.pkt[1] = opData
		binary.BigEndian.PutUint16(o.pkt[2:], uint16(n))
		if _, err := o.conn.Write(o.pkt[:4+copy(o.pkt[4:], data)]); err != nil {
			return fmt.Errorf("send block %d: %w", n, err)
		}
		o.sent = n
	}
	return nil
}

// blockData is what block n holds. Contents are read a window at a time.
func (o *outgoing) blockData(n int64) ([]byte, error) {
	block := int64(o.block)
	begin := (n - o.from) * block
	if o.from == 0 || n < o.from || begin >= int64(cap(o.data)) {
		if o.data == nil {
			o.data = make([]byte, o.window*o.block)
		}
		offset := (n - 1) * block
		o.data = o.data[:min(int64(cap(o.data)), o.size-offset)]
		if got, err := o.file.ReadAt(o.data, offset); got < len(o.data) {
			return nil, fmt.Errorf("read the file at %d: %w", offset, err)
		}
		o.from, begin = n, 0
	}
	return o.data[min(begin, int64(len(o.data))):min(begin+block, int64(len(o.data)))], nil
}

// await waits for an acknowledgement. missed is true if the client repeats the last
// one: with a window of several blocks it says so that it missed the first of them
// (RFC 7440 section 4). That counts only if again is set, once a window, and never
// in lock-step, or else every block would be sent twice for ever.
func (o *outgoing) await(deadline time.Time, again bool) (missed bool, err error) {
	_ = o.conn.SetReadDeadline(deadline)
	for {
		n, err := o.conn.Read(o.ack[:])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("the client closed its port: %w", err)
		}
		if n < 4 || o.ack[0] != 0 {
			continue
		}
		switch o.ack[1] {
		case opError:
			return false, fmt.Errorf("%w: code %d %s", ErrAborted, binary.BigEndian.Uint16(o.ack[2:]), readError(o.ack[:n]))
		case opAck:
			number := binary.BigEndian.Uint16(o.ack[2:])
			behind := int64(number - uint16(o.next-1)) // blocks that this acknowledges
			if behind == 0 && again && o.next > 0 {
				return true, nil
			}
			if behind > 0 && o.next-1+behind <= o.sent {
				o.next += behind
				return false, nil
			}
		}
	}
}
