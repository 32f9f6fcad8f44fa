package part

import "fmt"

// DamageError says which structure of a partition table cannot be trusted,
// so that no table can be given for the disk.
type DamageError struct {
	Kind   Kind
	What   string // the structure: "primary and backup header"
	Offset int64  // where it lies on the disk, bytes; -1 when it has no one place
	Why    string // the contradiction, as a clause: "both checksums are wrong"
}

func (e *DamageError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%s partition table, %s: %s", e.Kind, e.What, e.Why)
	}
	return fmt.Sprintf("%s partition table, %s at %#x: %s", e.Kind, e.What, e.Offset, e.Why)
}

// TooSmallError says that a disk cannot hold a table's partitions. Both sizes
// are in bytes.
type TooSmallError struct {
	Need, Have int64
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("write partition table: the disk has %d bytes, the partitions and their table need %d", e.Have, e.Need)
}
