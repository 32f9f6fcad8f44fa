package block

import "bytes"

// Bytes returns data, which must not change, as a device that is only read.
func Bytes(data []byte) Reader { return bytes.NewReader(data) }
