package hive

import "encoding/binary"

// Key security; offsets are those of the section of this name.
const (
	skSize  = 20
	skNext  = 4
	skPrev  = 8
	skCount = 12 // keys that use it
)

// share counts another user of the security descriptor of a key and returns where
// it is.
func (e *Editor) share(key uint32) (uint32, error) {
	c, err := e.h.node(key)
	if err != nil {
		return 0, err
	}
	at := binary.LittleEndian.Uint32(c[nkSecurity:])
	sk, err := e.h.record(at, "sk", skSize)
	if err != nil {
		return 0, err
	}
	count := sk[skCount:]
	binary.LittleEndian.PutUint32(count, binary.LittleEndian.Uint32(count)+1)
	return at, nil
}

// unshare takes a user away and frees the descriptor after the last one, out of
// the list of all of them.
func (e *Editor) unshare(at uint32) error {
	sk, err := e.h.record(at, "sk", skSize)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	count := le.Uint32(sk[skCount:])
	if count == 0 {
		return damagedCell(at, "a security descriptor that a key uses says that none does")
	}
	if count > 1 {
		le.PutUint32(sk[skCount:], count-1)
		return nil
	}
	next, prev := le.Uint32(sk[skNext:]), le.Uint32(sk[skPrev:])
	after, err := e.h.record(next, "sk", skSize)
	if err != nil {
		return err
	}
	before, err := e.h.record(prev, "sk", skSize)
	if err != nil {
		return err
	}
	le.PutUint32(before[skNext:], next)
	le.PutUint32(after[skPrev:], prev)
	return e.release(at)
}
