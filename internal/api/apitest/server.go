// Package apitest starts a server's control and API in the process of a test, over
// TLS on the loopback interface, with records in SQLite, images that are only names,
// and machines whose agents do as the test says. It is for tests of the API, of its
// client and of the command line. Start at Start.
package apitest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/ingot-imaging/ingot/internal/api"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// Cookie is the name of the cookie of sessions.
const Cookie = "ingot-test-session"

// Server is a server in the process of a test.
type Server struct {
	*control.Control
	API         *api.API
	URL         string
	Fingerprint string

	records *db.DB
	http    *http.Server
}

// Start starts a server that keeps its things in dir, and logs to log.
func Start(dir string, log io.Writer) (*Server, error) {
	records, err := db.Open(context.Background(), "", nil)
	if err != nil {
		return nil, err
	}
	s := &Server{records: records}
	if err := s.start(dir, slog.New(slog.NewTextHandler(log, nil))); err != nil {
		return nil, errors.Join(err, records.Close())
	}
	return s, nil
}

func (s *Server) start(dir string, log *slog.Logger) (err error) {
	s.Control, err = control.New(control.Config{
		Records: s.records, Images: newImages(), Profiles: filepath.Join(dir, "profiles"), Version: "test", Log: log,
		Cost: control.PasswordCost{Memory: 8, Time: 1, Threads: 1}, NextWait: time.Millisecond,
		Wake: func(context.Context, string) error { return nil },
	})
	if err != nil {
		return err
	}
	s.API, err = api.New(api.Config{Control: s.Control, Version: "test", Cookie: Cookie, Heartbeat: 50 * time.Millisecond, Log: log})
	if err != nil {
		return err
	}
	authority, err := trust.OpenAuthority(filepath.Join(dir, "tls"), time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.URL, s.Fingerprint = "https://"+listener.Addr().String(), authority.Fingerprint().String()
	s.http = &http.Server{Handler: s.API, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go s.http.Serve(tls.NewListener(listener, authority.NewServer(nil, time.Now).Config())) // it ends with Close
	return nil
}

// Close ends the server.
func (s *Server) Close() error {
	return errors.Join(s.http.Close(), s.Control.Close(), s.records.Close())
}

// Admin is somebody who may do everything.
func Admin() fleet.Actor { return fleet.Actor{Kind: "user", Name: "anna", Role: fleet.Admin} }

// Token makes a token.
func (s *Server) Token(role fleet.Role) (string, error) {
	_, secret, err := s.AddToken(context.Background(), Admin(), "test "+string(role), role, 0)
	return secret, err
}
