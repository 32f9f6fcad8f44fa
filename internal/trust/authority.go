// Package trust makes the certificates of a server, and tells clients which server
// is theirs.
//
// A server is its own authority from its first start: the authority's certificate
// lasts, the server's own is made anew whenever its names or addresses change or it
// gets old. Who knows the authority's fingerprint, which is no secret, can tell the
// server from everybody else: no other trust is needed. Start at OpenAuthority on
// the server and at Config on the client.
package trust

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityYears = 20
	// leafDays is what browsers take at most (CA/Browser Forum, baseline requirements
	// 6.3.2); renewDays before the end a new one is made.
	leafDays  = 397
	renewDays = 30
	day       = 24 * time.Hour
	// skew is how wrong the clock of a PC with an empty battery may be forgiven in
	// either direction by the authority's dates. Its own start lies this far back.
	skew = 48 * time.Hour
)

// Authority signs the certificates of one server. It does not change.
type Authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// OpenAuthority reads the authority that is kept in dir, and makes it at the first
// start. The key is readable by its owner alone.
func OpenAuthority(dir string, now time.Time) (*Authority, error) {
	a, err := loadAuthority(dir)
	if errors.Is(err, fs.ErrNotExist) {
		a, err = makeAuthority(dir, now)
	}
	if err != nil {
		return nil, fmt.Errorf("certificate authority in %s: %w", dir, err)
	}
	return a, nil
}

func loadAuthority(dir string) (*Authority, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("ca.crt is no authority")
	}
	return &Authority{pair.Leaf, key}, nil
}

func makeAuthority(dir string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	host, _ := os.Hostname() // only a name for people
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "ingot authority of " + host},
		NotBefore: now.Add(-skew), NotAfter: now.AddDate(authorityYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	a := &Authority{template, key}
	der, err := a.sign(template, key.Public())
	if err != nil {
		return nil, err
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	return a, a.save(dir)
}

// save writes the key first: a certificate without one would look like an authority
// that lost it.
func (a *Authority) save(dir string) error {
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeNew(filepath.Join(dir, "ca.key"), "PRIVATE KEY", key, 0o600); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, "ca.crt"), "CERTIFICATE", a.certificate.Raw, 0o644)
}

func writeNew(path, kind string, der []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = errors.Join(f.Chmod(mode), pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Fingerprint is what clients know the authority by.
func (a *Authority) Fingerprint() Fingerprint { return fingerprintOf(a.certificate) }

// PEM is the authority's certificate, for people who want their browser to trust it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// Issue makes a certificate for a server of these names and addresses.
func (a *Authority) Issue(names []string, addresses []net.IP, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "ingot server"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(leafDays * day),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names, IPAddresses: addresses,
	}
	der, err := a.sign(template, key.Public())
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.certificate.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (a *Authority) sign(template *x509.Certificate, key crypto.PublicKey) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	return x509.CreateCertificate(rand.Reader, template, a.certificate, key, a.key)
}
