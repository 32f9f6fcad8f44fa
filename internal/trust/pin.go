package trust

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Fingerprint is the SHA-256 of a certificate as it is sent (DER).
type Fingerprint [sha256.Size]byte

const prefix = "sha256:"

// ParseFingerprint reads "sha256:" and 64 hex digits, which may be in groups with
// colons or spaces between them.
func ParseFingerprint(s string) (Fingerprint, error) {
	var f Fingerprint
	digits := strings.NewReplacer(":", "", " ", "").Replace(strings.TrimPrefix(s, prefix))
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) != len(f) {
		return f, fmt.Errorf("a fingerprint is %s and %d hex digits, not %q", prefix, 2*len(f), s)
	}
	return Fingerprint(b), nil
}

func (f Fingerprint) String() string { return prefix + hex.EncodeToString(f[:]) }

// MarshalText implements encoding.TextMarshaler, so that JSON has it as people do.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

func fingerprintOf(c *x509.Certificate) Fingerprint { return sum(c.Raw) }

func sum(der []byte) Fingerprint { return sha256.Sum256(der) }

// MismatchError says that a server is not the one whose fingerprint is known.
type MismatchError struct {
	Want Fingerprint
	Got  Fingerprint // of the last certificate that the server sent
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the server's certificate is not the expected one: its fingerprint is %s, and %s is wanted. "+
		"Either this is another server, or it was set up anew: compare with what 'ingot serve' printed there", e.Got, e.Want)
}

// ErrUnpinned says that a client knows nothing by which to tell its server.
var ErrUnpinned = errors.New("no fingerprint of the server is known")

// Config is how a client talks to the server with fingerprint f. The names and
// addresses in the server's certificate do not matter to it, since nobody else has
// a key that the authority signed; nor does the clock, which in a PC with an empty
// battery is wrong by years: now may be nil, then dates are not looked at.
func Config(f Fingerprint, now func() time.Time) (*tls.Config, error) {
	if f == (Fingerprint{}) {
		return nil, ErrUnpinned
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection does more than it skips
		VerifyConnection:   func(s tls.ConnectionState) error { return verify(s.PeerCertificates, f, now) },
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}, nil
}

// verify finds the certificate with fingerprint f in the chain, and proves that it
// is the server's own or signed it.
func verify(chain []*x509.Certificate, f Fingerprint, now func() time.Time) error {
	for i, c := range chain {
		if fingerprintOf(c) != f {
			continue
		}
		if i == 0 {
			return nil
		}
		roots, between := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(c)
		for _, b := range chain[1:i] {
			between.AddCert(b)
		}
		at := chain[0].NotBefore.Add(chain[0].NotAfter.Sub(chain[0].NotBefore) / 2)
		if now != nil {
			at = now()
		}
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		return err
	}
	if len(chain) == 0 {
		return ErrUnpinned
	}
	return &MismatchError{Want: f, Got: fingerprintOf(chain[len(chain)-1])}
}
