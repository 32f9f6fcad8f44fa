package webtest

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Profile adds a profile "lab" with a file, and one "draft" with nothing but a name.
func (r *Room) Profile(t testing.TB, admin fleet.Actor) {
	t.Helper()
	const text = `# PCs of room B12
name: "lab-{serial:-3}"
locale: de_DE.UTF-8
keyboard: de
timezone: Europe/Berlin

values:
  room: ""
  seat: ""

files:
  - path: 'C:\lab\readme.txt'
    source: readme.txt

windows:
  organization: School of the room
`
	var folder bytes.Buffer
	w := tar.NewWriter(&folder)
	for name, data := range map[string]string{"profile.yaml": text, "readme.txt": "Room B12. Ask at the desk.\n"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Control.PutProfileFolder(t.Context(), admin, "lab", &folder); err != nil {
		t.Fatal(err)
	}
	if err := r.Control.PutProfile(t.Context(), admin, "draft", []byte("name: \"pc-{asset}\"\n")); err != nil {
		t.Fatal(err)
	}
}
