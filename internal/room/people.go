package room

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// SetUp makes the administrator by the link of the first start, and a token, as a
// person with a browser does.
func (s *Server) SetUp(ctx context.Context) error {
	link, err := os.ReadFile(filepath.Join(s.Folder, "setup-link"))
	if err != nil {
		return err
	}
	_, code, _ := strings.Cut(strings.TrimSpace(string(link)), "#code=")
	if code, err = url.QueryUnescape(code); err != nil {
		return err
	}
	secure, err := s.secure()
	if err != nil {
		return err
	}
	if s.Page, err = newBrowser(s.URL, secure); err != nil {
		return err
	}
	const password = "correct horse battery staple"
	if _, err := s.Page.Submit(ctx, "/setup", url.Values{"code": {code}, "name": {"anna"}, "password": {password}, "again": {password}}); err != nil {
		return err
	}
	page, err := s.Page.Submit(ctx, "/tokens", url.Values{"name": {"room"}, "role": {"admin"}, "days": {"1"}})
	if err != nil {
		return err
	}
	if s.Token = regexp.MustCompile(`ingot_[A-Za-z0-9_-]+`).FindString(page); s.Token == "" {
		return fmt.Errorf("there is no token on the page:\n%s", page)
	}
	return nil
}

func (s *Server) secure() (*tls.Config, error) {
	f, err := trust.ParseFingerprint(s.Fingerprint)
	if err != nil {
		return nil, err
	}
	return trust.Config(f, nil)
}

func dialSecure(ctx context.Context, address string, secure *tls.Config) (net.Conn, error) {
	d := tls.Dialer{Config: secure}
	return d.DialContext(ctx, "tcp", address)
}

// enrolFor is how long a secret of Enrol is good.
const enrolFor = 15 * time.Minute

// Enrol makes the secret of one boot of the PC with a network interface, as the
// server's netboot does when it gives the PC its kernel.
func (s *Server) Enrol(ctx context.Context, mac string) (secret string, err error) {
	records, err := s.database(ctx)
	if err != nil {
		return "", err
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", err
	}
	secret = base64.RawURLEncoding.EncodeToString(raw)
	hash, now := sha256.Sum256([]byte(secret)), time.Now().UTC()
	return secret, records.PutEnrolSecret(ctx, fleet.EnrolSecret{Hash: hash[:], MAC: mac, Made: now, Expires: now.Add(enrolFor)})
}

// database is the server's, opened beside it.
func (s *Server) database(ctx context.Context) (*db.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records != nil {
		return s.records, nil
	}
	var err error
	s.records, err = db.Open(ctx, filepath.Join(s.Folder, "ingot.db"), nil)
	return s.records, err
}

// closeDatabase closes what database opened.
func (s *Server) closeDatabase() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records != nil {
		_ = s.records.Close() // what is in it was kept by each transaction
		s.records = nil
	}
}

// Browser is one without scripts, in which somebody is logged in.
type Browser struct {
	base   string
	client *http.Client
}

func newBrowser(base string, secure *tls.Config) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{base, &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: secure}}}, nil
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// Submit fills in the form of a page.
func (b *Browser) Submit(ctx context.Context, path string, form url.Values) (page string, err error) {
	before, err := b.Get(ctx, path)
	if err != nil {
		return "", err
	}
	m := csrf.FindStringSubmatch(before)
	if m == nil {
		return "", fmt.Errorf("%s has no form", path)
	}
	form.Set("csrf", m[1])
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.base)
	return b.do(r)
}

// Get reads a page.
func (b *Browser) Get(ctx context.Context, path string) (page string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return "", err
	}
	return b.do(r)
}

func (b *Browser) do(r *http.Request) (string, error) {
	resp, err := b.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s\n%s", r.URL.Path, resp.Status, page)
	}
	return string(page), err
}
