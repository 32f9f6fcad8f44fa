package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/serve"
)

// serving is what this program does as ingot's server.
type serving struct{ store, tls, profile string }

// token is what agents show; looking it up costs what it costs a server.
const token = "0123456789abcdef0123456789abcdef"

func (s serving) run(ctx context.Context) error {
	backend, err := local.Open(s.store)
	if err != nil {
		return err
	}
	granted := map[string]serve.Grant{"Bearer " + token: {Who: "room", Read: func(string) bool { return true }}}
	handler := serve.New(serve.Config{Backend: backend, Hash: chunk.DefaultHash, Authorize: func(r *http.Request) (serve.Grant, error) {
		if g, ok := granted[r.Header.Get("Authorization")]; ok {
			return g, nil
		}
		return serve.Grant{}, &serve.Refusal{Status: http.StatusUnauthorized, Kind: "no-token"}
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	if s.tls != "" {
		cert, err := tls.LoadX509KeyPair(filepath.Join(s.tls, "server.crt"), filepath.Join(s.tls, "server.key"))
		if err != nil {
			return err
		}
		srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	if s.profile != "" {
		f, err := os.Create(s.profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Println(listener.Addr())
	context.AfterFunc(ctx, func() { srv.Close() })
	if s.tls != "" {
		err = srv.ServeTLS(listener, "", "")
	} else {
		err = srv.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// saveCertificate writes what both servers read.
func saveCertificate(dir string, cert *tls.Certificate) error {
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "server.crt"), chain, 0o644),
		os.WriteFile(filepath.Join(dir, "server.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}

// server is a process that serves the room.
type server struct {
	cmd *exec.Cmd
	url string
}

// startIngot starts this program as ingot's server.
func startIngot(ctx context.Context, r *room, secure bool, profile string) (*server, error) {
	args := []string{"-serve", r.store}
	if secure {
		args = append(args, "-tls", r.tls)
	}
	if profile != "" {
		args = append(args, "-profile", profile)
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd}
	var address string
	if _, err := fmt.Fscanln(out, &address); err != nil {
		return nil, errors.Join(fmt.Errorf("ingot's server did not start: %w", err), s.stop())
	}
	s.url = scheme(secure) + address
	return s, nil
}

func scheme(secure bool) string {
	if secure {
		return "https://"
	}
	return "http://"
}

// nginxConfig is a plain static server, as its manual has it: a process for each core,
// sendfile, everything kept open that may be.
const nginxConfig = `
daemon off; master_process on; worker_processes auto; pid %[1]s/nginx.pid; error_log %[1]s/error.log;
events { worker_connections 4096; }
http {
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; keepalive_timeout 120s;
  default_type application/octet-stream;
  client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
  open_file_cache max=4096 inactive=10m; open_file_cache_valid 10m;
  server {
    listen %[2]s;
    %[3]s
    location ~ ^/store/v1/(packs|maps)/((..).*)$ { alias %[4]s/$1/$3/$2; }
    location ~ ^/store/v1/(.+)$ { alias %[4]s/$1; }
  }
}`

// startNginx starts nginx with the same certificate and files.
func startNginx(ctx context.Context, r *room, secure bool, folder string) (*server, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	// nginx cannot say which port the kernel gave it.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	listen, crypt := address, ""
	if secure {
		listen += " ssl"
		crypt = fmt.Sprintf("ssl_certificate %[1]s/server.crt; ssl_certificate_key %[1]s/server.key; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m;", r.tls)
	}
	config := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, folder, listen, crypt, r.store), 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "nginx", "-c", config, "-e", filepath.Join(folder, "error.log"))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // so that its workers end too
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (Debian package nginx-light)", err)
	}
	s := &server{cmd, scheme(secure) + address}
	for range 100 {
		if c, err := net.Dial("tcp", address); err == nil {
			return s, c.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("nginx did not start"), s.stop())
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		return err
	}
	return nil
}

// cost is what a server and its workers have used until now.
type cost struct {
	cpu  time.Duration
	peak int64 // bytes resident, the sum of the processes' peaks
}

func (s *server) cost() (cost, error) {
	pid := strconv.Itoa(s.cmd.Process.Pid)
	children, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return cost{}, err
	}
	var sum cost
	for _, p := range append(strings.Fields(string(children)), pid) {
		c, err := costOf(p)
		if err != nil {
			return cost{}, err
		}
		sum.cpu, sum.peak = sum.cpu+c.cpu, sum.peak+c.peak
	}
	return sum, nil
}

// costOf reads fields 14 and 15 of proc(5) stat, in ticks of 10 ms, and VmHWM of status.
func costOf(pid string) (c cost, err error) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return c, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	for _, f := range fields[11:13] {
		ticks, err := strconv.Atoi(f)
		if err != nil {
			return c, err
		}
		c.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return c, err
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscanf(strings.TrimSpace(peak), "%d kB", &c.peak)
	c.peak <<= 10
	return c, err
}
