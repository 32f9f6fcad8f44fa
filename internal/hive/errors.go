package hive

import (
	"errors"
	"fmt"
)

// ErrNotFound says that a key or value is not there.
var ErrNotFound = errors.New("it is not in the hive")

// DirtyError says that a hive was not closed in order.
type DirtyError struct{ Why string }

func (e *DirtyError) Error() string {
	return "the hive was not closed in order (" + e.Why + "), and its latest changes are in log files that only Windows can replay: start that Windows once, shut it down fully (shutdown /s /t 0) and capture it again"
}

// DamageError says where bytes are not those of a sound hive.
type DamageError struct {
	Offset int64 // in the file
	Why    string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("damaged hive: at byte %d: %s", e.Offset, e.Why)
}

func damaged(offset int64, format string, args ...any) error {
	return &DamageError{offset, fmt.Sprintf(format, args...)}
}

// damagedCell is a DamageError about the cell at an offset in the bins.
func damagedCell(at uint32, format string, args ...any) error {
	return damaged(baseSize+int64(at), format, args...)
}
