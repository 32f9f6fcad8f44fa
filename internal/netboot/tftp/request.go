package tftp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
)

// Operations (RFC 1350 section 5, RFC 2347).
const (
	opRead  = 1
	opWrite = 2
	opData  = 3
	opAck   = 4
	opError = 5
	opOAck  = 6
)

// Error codes of RFC 1350 and RFC 2347.
const (
	codeOther    = 0
	codeNotFound = 1
	codeAccess   = 2
	codeIllegal  = 4
	codeOption   = 8
)

// Limits of options, from their RFCs, or lower where said.
const (
	defaultBlock = 512
	minBlock     = 8
	maxBlock     = 65464   // RFC 2348
	maxWindow    = 64      // RFC 7440 allows 65535, which no network card's queue holds
	maxBuffer    = 1 << 20 // bytes of a window
	maxRequest   = 2048
	maxName      = 255
)

// A request is what a client asks for, with every value within its limits.
type request struct {
	name    string
	block   int  // bytes
	window  int  // blocks
	timeout int  // seconds; 0: not asked for
	size    bool // tsize was asked for
	options []string
}

var (
	errWrite = errors.New("writing is not allowed")
	errMode  = errors.New("only mode octet (binary) is served")
	errName  = errors.New("the name is not one of a file that can be here")
)

// parseRequest reads a packet that came to port 69.
func parseRequest(b []byte) (request, error) {
	r := request{block: defaultBlock, window: 1}
	if len(b) < 2 || len(b) > maxRequest {
		return r, fmt.Errorf("TFTP packet of %d bytes", len(b))
	}
	switch op := binary.BigEndian.Uint16(b); op {
	case opRead:
	case opWrite:
		return r, errWrite
	default:
		return r, fmt.Errorf("TFTP operation %d does not begin a transfer", op)
	}
	if b[len(b)-1] != 0 {
		return r, errors.New("TFTP request whose last text does not end")
	}
	fields := strings.Split(string(b[2:len(b)-1]), "\x00")
	if len(fields) < 2 {
		return r, errors.New("TFTP request without a mode")
	}
	if !strings.EqualFold(fields[1], "octet") {
		return r, errMode
	}
	var err error
	if r.name, err = CleanName(fields[0]); err != nil {
		return r, err
	}
	for options := fields[2:]; len(options) >= 2; options = options[2:] {
		r.option(strings.ToLower(options[0]), options[1])
	}
	r.window = max(1, min(r.window, maxBuffer/r.block))
	return r, nil
}

// option takes an option into account, and leaves out what it does not know or
// what is outside the option's limits (RFC 2347: it is then not acknowledged).
func (r *request) option(name, value string) {
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return
	}
	v := int(n)
	switch {
	case name == "blksize" && v >= minBlock:
		r.block = min(v, maxBlock)
	case name == "windowsize" && v >= 1:
		r.window = min(v, maxWindow)
	case name == "timeout" && v >= 1 && v <= 255:
		r.timeout = v
	case name == "tsize":
		r.size = true
	default:
		return
	}
	r.options = append(r.options, name)
}

// optionAck is the reply that accepts options, or nothing if none was accepted.
func (r request) optionAck(size int64) []byte {
	if len(r.options) == 0 {
		return nil
	}
	values := map[string]int64{"blksize": int64(r.block), "windowsize": int64(r.window), "timeout": int64(r.timeout), "tsize": size}
	b := []byte{0, opOAck}
	for _, name := range r.options {
		b = append(append(b, name...), 0)
		b = append(strconv.AppendInt(b, values[name], 10), 0)
	}
	return b
}

func errorPacket(code byte, text string) []byte {
	return append(append([]byte{0, opError, 0, code}, text...), 0)
}

// CleanName returns the name of a file as a path below the served folder,
// "grub/grub.cfg", for what a client asks for. Slashes at the beginning are the
// served folder itself, as GRUB and shim mean them. Everything that could mean
// another place, or another name to another system, is refused.
func CleanName(name string) (string, error) {
	if len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`\*?"<>|`, r) }) {
		return "", errName
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." || part == "." {
			return "", errName
		}
	}
	clean := strings.TrimPrefix(path.Clean("/"+name), "/")
	if clean == "" {
		return "", errName
	}
	return clean, nil
}

// readError is what an error packet of the client says.
func readError(b []byte) string {
	text, _, _ := bytes.Cut(b[min(len(b), 4):], []byte{0})
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(text[:min(len(text), 200)])), "?")
}
