package trust_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/trust"
)

func authority(t *testing.T, dir string) *trust.Authority {
	t.Helper()
	a, err := trust.OpenAuthority(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func serve(t *testing.T, config *tls.Config) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{
		Handler:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
		ErrorLog: log.New(io.Discard, "", 0), // of clients that refuse
	}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "https://" + l.Addr().String()
}

func get(t *testing.T, url string, f trust.Fingerprint, now func() time.Time) error {
	t.Helper()
	config, err := trust.Config(f, now)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestPinned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	mine, other := authority(t, dir), authority(t, t.TempDir())
	url := serve(t, mine.NewServer(nil, time.Now).Config())

	if err := get(t, url, mine.Fingerprint(), time.Now); err != nil {
		t.Errorf("the right server: %v", err)
	}
	longAgo := func() time.Time { return time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) }
	if err := get(t, url, mine.Fingerprint(), nil); err != nil {
		t.Errorf("without a clock: %v", err)
	}
	if err := get(t, url, mine.Fingerprint(), longAgo); err == nil {
		t.Error("with a clock that is 25 years late the certificate is not valid yet")
	}
	var wrong *trust.MismatchError
	if err := get(t, url, other.Fingerprint(), nil); !errors.As(err, &wrong) || wrong.Got != mine.Fingerprint() {
		t.Errorf("another server: %v", err)
	}
	if again := authority(t, dir); again.Fingerprint() != mine.Fingerprint() {
		t.Error("a second start made another authority")
	}
	if info, err := os.Stat(filepath.Join(dir, "ca.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info.Mode(), err)
	}
}

// A server that sends the right authority beside a certificate of its own must not
// be taken for the right one.
func TestBorrowedAuthority(t *testing.T) {
	mine, other := authority(t, t.TempDir()), authority(t, t.TempDir())
	own, err := mine.Issue([]string{"a"}, nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	forged, err := other.Issue([]string{"a"}, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	forged.Certificate[1] = own.Certificate[1]
	url := serve(t, &tls.Config{Certificates: []tls.Certificate{*forged}})
	if err := get(t, url, mine.Fingerprint(), nil); err == nil {
		t.Error("a certificate that the authority did not sign was taken")
	}
}

func TestOwnCertificate(t *testing.T) {
	config, f, err := trust.Load(ownCertificate(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := get(t, serve(t, config), f, time.Now); err != nil {
		t.Error(err)
	}
}

// ownCertificate is the authority's own files: a chain of one.
func ownCertificate(t *testing.T) (certificate, key string) {
	dir := t.TempDir()
	authority(t, dir)
	return filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
}

func TestParseFingerprint(t *testing.T) {
	f := authority(t, t.TempDir()).Fingerprint()
	if got, err := trust.ParseFingerprint(f.String()); err != nil || got != f {
		t.Errorf("%v, %v", got, err)
	}
	if text, err := json.Marshal(f); err != nil || string(text) != `"`+f.String()+`"` {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	for _, bad := range []string{"", "sha256:", "sha256:zz", f.String() + "00", f.String()[:70]} {
		if _, err := trust.ParseFingerprint(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := trust.Config(trust.Fingerprint{}, nil); !errors.Is(err, trust.ErrUnpinned) {
		t.Errorf("no fingerprint: %v", err)
	}
}
