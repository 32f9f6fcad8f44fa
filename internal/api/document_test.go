package api

import (
	"bytes"
	"os"
	"testing"
)

// golden is the document that programs are written against.
const golden = "../../doc/openapi.json"

func newAPI(t *testing.T, c Config) *API {
	t.Helper()
	if c.Control == nil {
		c.Control = &fake{}
	}
	c.Version, c.Cookie = "test", "session"
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestDocument keeps what the API promises under review: INGOT_UPDATE=1 writes it.
func TestDocument(t *testing.T) {
	a := newAPI(t, Config{})
	if os.Getenv("INGOT_UPDATE") != "" {
		if err := os.WriteFile(golden, a.Document(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Document(), want) {
		t.Errorf("the API differs from %s; INGOT_UPDATE=1 writes it, and shows what its users will notice", golden)
	}
}
