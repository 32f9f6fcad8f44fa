package files

import (
	"encoding/binary"
	"strings"
	"testing"
)

func TestWholeInReparse(t *testing.T) {
	for _, c := range []struct {
		tag  uint32
		want string // in the error; "": it is taken
	}{
		{0xA0000003, ""}, {0xA000000C, ""}, {0x8000001B, ""}, {0xA000001D, ""}, {0x80000023, ""},
		{0x80000017, "CompactOS"}, {0x80000013, "deduplicated"}, {0x9000001A, "cloud"}, {0x9000601A, "cloud"}, {0x12345678, "0x12345678"}, {0, "0x0"},
	} {
		err := wholeInReparse("a.exe", binary.LittleEndian.AppendUint32(nil, c.tag))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%#x: %v", c.tag, err)
		}
	}
	if wholeInReparse("a", []byte{3}) == nil {
		t.Error("half a tag was taken")
	}
}
