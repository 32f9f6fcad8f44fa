package shacrypt

import (
	"crypto/rand"
	"os/exec"
	"strings"
	"testing"
)

// TestVectors are those of the specification.
func TestVectors(t *testing.T) {
	for _, v := range []struct{ salt, password, want string }{
		{"$6$saltstring", "Hello world!", "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
		{"$6$rounds=10000$saltstringsaltstring", "Hello world!", "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v."},
		{"$6$rounds=5000$toolongsaltstring", "This is just a test", "$6$rounds=5000$toolongsaltstrin$lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0"},
		{"$6$rounds=1400$anotherlongsaltstring", "a very much longer text to encrypt.  This one even stretches over morethan one line.", "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1"},
		{"$6$rounds=77777$short", "we have a short salt string but not a short password", "$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0"},
		{"$6$rounds=123456$asaltof16chars..", "a short string", "$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1"},
		{"$6$rounds=10$roundstoolow", "the minimum number is still observed", "$6$rounds=1000$roundstoolow$kUMsbe306n21p9R.FRkW3IGn.S9NPN0x50YhH1xhLsPuWGsUSklZt58jaTfF4ZEQpyUNGc0dqbpBYYBaHHrsX."},
	} {
		salt, n, explicit, err := parse(v.salt)
		if err != nil {
			t.Fatal(err)
		}
		if got := hash([]byte(v.password), salt, n, explicit); got != v.want {
			t.Errorf("%s\n got %s\nwant %s", v.salt, got, v.want)
		}
		if !Matches(v.password, v.want) || Matches(v.password+"x", v.want) {
			t.Errorf("%s is not matched by its password alone", v.want)
		}
	}
}

// TestOpenSSL lets openssl judge passwords of all lengths around the digest's.
func TestOpenSSL(t *testing.T) {
	for _, password := range []string{"a", "pässwörd", `"$(reboot)';`, strings.Repeat("x", 63), strings.Repeat("y", 64), strings.Repeat("z", 65), strings.Repeat("12345678", 31)} {
		cmd := exec.Command("openssl", "passwd", "-6", "-salt", "Sa1t.salt", "-stdin")
		cmd.Stdin = strings.NewReader(password + "\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := hash([]byte(password), []byte("Sa1t.salt"), defaultRounds, false); got != strings.TrimSpace(string(out)) {
			t.Errorf("%q:\n got %s\nwant %s", password, got, out)
		}
	}
}

func TestNew(t *testing.T) {
	a, err := New("secret", rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New("secret", rand.Reader)
	if err != nil || a == b {
		t.Errorf("two hashes are alike: %s, %v", a, err)
	}
	if !Matches("secret", a) || Matches("Secret", a) {
		t.Error("a new hash is not matched by its password alone")
	}
	for _, bad := range []string{"", "a\x00b", strings.Repeat("x", MaxPassword+1)} {
		if _, err := New(bad, rand.Reader); err == nil {
			t.Errorf("a password of %d bytes was hashed", len(bad))
		}
	}
}

func FuzzMatches(f *testing.F) {
	f.Add("secret", "$6$rounds=1000$salt$hash")
	f.Add("", "$6$")
	f.Add("x", "$6$rounds=$")
	f.Fuzz(func(t *testing.T, password, hashed string) {
		if _, n, _, err := parse(hashed); err != nil || n > minRounds {
			return // takes long
		}
		if Matches(password, hashed) && !strings.HasPrefix(hashed, prefix) {
			t.Error("it matched a hash of another kind")
		}
	})
}
