package machine

import (
	"os"
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestInventory(t *testing.T) {
	got, err := Inventory(tree(t, "parts"))
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Inventory{
		CPU: "Intel(R) Xeon(R) Silver 4310 CPU @ 2.10GHz", Cores: 2, Memory: 65796340 << 10, TPM: "2.0", SecureBoot: "off", BIOS: "Dell Inc. 1.8.2 06/21/2024",
		NICs: []wire.NIC{
			{Name: "eno1", MAC: "b0:7b:25:00:00:01", Driver: "tg3", Link: true, Speed: 1000},
			{Name: "eno2", MAC: "b0:7b:25:00:00:02", Driver: "tg3"},
			{Name: "enx1", MAC: "00:50:b6:01:02:03", Driver: "r8152", USB: true, Link: true, Speed: 2500},
		},
	}
	want.Facts = got.Facts // TestRead's
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if _, err := Inventory(fstest.MapFS{}); err == nil {
		t.Error("a machine without sysfs has an inventory")
	}
	if inv, err := Inventory(os.DirFS("/")); err != nil || inv.Cores == 0 || inv.Memory == 0 {
		t.Errorf("%+v, %v", inv, err)
	}
}

func TestProcessorWithoutCores(t *testing.T) {
	fsys := fstest.MapFS{"proc/cpuinfo": {Data: []byte("processor\t: 0\nBogoMIPS\t: 50.00\n\nprocessor\t: 1\n")}}
	if model, cores := processor(fsys); model != "" || cores != 2 {
		t.Errorf("%q, %d", model, cores)
	}
}
