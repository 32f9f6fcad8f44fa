package customise

import (
	"reflect"
	"testing"
)

func TestReport(t *testing.T) {
	r := &Report{Changed: []string{"/etc/fstab"}, Notes: []string{"first"}, Rebuild: []Rebuild{Modules}}
	boot := &Report{Changed: []string{"/EFI/b", "/EFI/a"}, Notes: []string{"second"}}
	r.Add(boot.On("ESP"))
	r.Add(&Report{Changed: []string{"/etc/fstab"}, Rebuild: []Rebuild{Initramfs}})
	want := &Report{Changed: []string{"/etc/fstab", "ESP:/EFI/a", "ESP:/EFI/b"}, Notes: []string{"first", "second"}, Rebuild: []Rebuild{Modules, Initramfs}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v, want %+v", r, want)
	}
	if boot.Changed[0] != "/EFI/b" {
		t.Errorf("what was added has changed: %q", boot.Changed)
	}
}
