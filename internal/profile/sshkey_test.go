package profile

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// TestKeyAgainstSSH: golang.org/x/crypto/ssh is the judge, of keys of every type, of
// options before them, and of keys with a byte changed or cut off.
func TestKeyAgainstSSH(t *testing.T) {
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys := []any{ed, &rsaKey.PublicKey}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, &key.PublicKey)
	}
	for _, key := range keys {
		public, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
		for _, good := range []string{
			line, line + " anna@desk", line + ` a comment "with` + "`quotes`", "  " + line,
			`command="echo \"a b\"",no-pty ` + line + " x", `environment="A=ssh-rsa AAAA" ` + line, "no-pty,restrict " + line,
		} {
			if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(good)); err != nil {
				t.Fatalf("the judge refuses %s: %v", good, err)
			}
			if problem := keyProblem(good); problem != "" {
				t.Errorf("%.60s: %s", good, problem)
			}
		}
		kind, text, _ := strings.Cut(line, " ")
		blob, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		for i := range len(blob) { // every cut is refused
			if keyProblem(kind+" "+base64.StdEncoding.EncodeToString(blob[:i])) == "" {
				t.Errorf("%s cut to %d bytes was taken", kind, i)
			}
		}
		for _, bad := range []string{text, kind, kind + " " + text[1:], "ssh-dss " + text, kind + " " + text + "A", "# " + line, "x y " + line} {
			if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(bad)); err == nil {
				t.Fatalf("the judge takes %s", bad)
			}
			if keyProblem(bad) == "" {
				t.Errorf("%.60s was taken", bad)
			}
		}
	}
}

func FuzzKey(f *testing.F) {
	f.Add("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHlc3YcTZTDwOSXm3PTU7Nui4t+wvcl4nEAKhgzXJf3t x")
	f.Add(`command="\"" ssh-rsa AAAAB3NzaC1yc2EAAAABIw==`)
	f.Fuzz(func(t *testing.T, line string) {
		if keyProblem(line) == "" && !strings.Contains(line, "AAAA") {
			t.Errorf("%q was taken", line)
		}
	})
}
