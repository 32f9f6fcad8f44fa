package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-imaging/ingot/internal/trust"
)

// Servers are those that a person logged in to.
type Servers struct {
	Default string   `yaml:"default"` // the URL of the one that is used when none is named
	Servers []Server `yaml:"servers"`
}

// ServersFile is where a person's servers are kept.
func ServersFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no place for the list of servers is known: %w", err)
	}
	return filepath.Join(dir, "ingot", "servers.yaml"), nil
}

// ReadServers reads the list of servers; it is empty when there is none. One that
// others may read is refused, since tokens are in it.
func ReadServers(file string) (Servers, error) {
	var s Servers
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	info, err := os.Stat(file)
	if err != nil {
		return s, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return s, fmt.Errorf("%s holds tokens, and others may read it; run: chmod 600 %s", file, file)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("%s cannot be read (%w); 'ingot login' writes it anew when it is gone", file, err)
	}
	return s, nil
}

// Find is the server with an address, as ParseURL returns it.
func (s Servers) Find(address string) (Server, bool) {
	i := slices.IndexFunc(s.Servers, func(one Server) bool { return one.URL == address })
	if i < 0 {
		return Server{}, false
	}
	return s.Servers[i], true
}

// With is the list with a server, which becomes the default.
func (s Servers) With(server Server) Servers {
	kept := slices.DeleteFunc(slices.Clone(s.Servers), func(one Server) bool { return one.URL == server.URL })
	return Servers{Default: server.URL, Servers: append(kept, server)}
}

// Write replaces the list of servers in one step, readable by its owner alone.
func (s Servers) Write(file string) error {
	text, err := yaml.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".servers-") // with mode 600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// dialTime bounds a look at a server's certificate.
const dialTime = 15 * time.Second

// Fingerprint asks a server for its certificate, and returns the fingerprint by which
// it would be known from then on: "" for a certificate that this system trusts
// anyway. Whether it is the right server only people can tell.
func Fingerprint(ctx context.Context, address string) (string, error) {
	address, err := ParseURL(address)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), "443")
	}
	err = shake(ctx, host, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()})
	var untrusted *tls.CertificateVerificationError
	if err == nil {
		return "", nil
	}
	if !errors.As(err, &untrusted) {
		return "", &UnreachableError{URL: address, Err: err}
	}
	config, err := trust.Config(trust.Fingerprint{1}, time.Now) // nobody's
	if err != nil {
		return "", err
	}
	var other *trust.MismatchError
	if err := shake(ctx, host, config); !errors.As(err, &other) {
		return "", &UnreachableError{URL: address, Err: err}
	}
	return other.Got.String(), nil
}

// shake connects and says goodbye.
func shake(ctx context.Context, host string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	return conn.Close()
}
