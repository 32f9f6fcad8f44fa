// Package room is a room of PCs without firmware, for tests and measures of a server:
// a real server process (Server), PCs that speak the agents' protocol and run jobs
// with the real engine on disks in memory (PC, Disk), and the cable between them
// (Cable). Any of them can be cut off at any moment.
//
// It touches no disk of this machine and leaves nothing but what is in the server's
// folder. Start at Build, Start and NewPC.
package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
)

// Build builds ingot into a folder and returns its path.
func Build(ctx context.Context, dir string) (program string, err error) {
	program = filepath.Join(dir, "ingot")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, "github.com/ingot-imaging/ingot/cmd/ingot")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build ingot: %w\n%s", err, out)
	}
	return program, nil
}

// Server is 'ingot serve' on the loopback interface.
type Server struct {
	URL, Fingerprint string
	Folder           string
	Token            string // of an administrator, once SetUp was called
	Page             *Browser

	program string
	listen  string
	process *os.Process
	ended   chan struct{}
	log     Log

	mu      sync.Mutex
	records *db.DB // nil until it is needed
}

// Start starts a server that keeps its things in a folder.
func Start(program, folder string) (*Server, error) {
	s := &Server{Folder: folder, program: program, listen: "127.0.0.1:0"}
	return s, s.Start()
}

// Start starts the server again after Kill, at the same address.
func (s *Server) Start() error {
	cmd := exec.Command(s.program, "serve", "--json", "--data", s.Folder, "--listen", s.listen)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &s.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the process ends with the thread that started it
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ends is the caller's wish
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.process, s.ended = cmd.Process, ended
	var ready struct{ URL, Fingerprint string }
	if err := json.NewDecoder(out).Decode(&ready); err != nil {
		s.Kill()
		return fmt.Errorf("the server did not start: %w\n%s", err, s.log.String())
	}
	s.URL, s.Fingerprint = ready.URL, ready.Fingerprint
	s.listen = strings.TrimPrefix(ready.URL, "https://")
	return nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listen }

// Log is what the server wrote to its log so far.
func (s *Server) Log() string { return s.log.String() }

// Kill ends the server as a power cut would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server in good order.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

func (s *Server) end(signal syscall.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(signal) // it may have ended
	<-s.ended
	s.process = nil
	s.closeDatabase()
}

// Client is the administrator's.
func (s *Server) Client() (*apiclient.Client, error) {
	return apiclient.New(apiclient.Server{URL: s.URL, Fingerprint: s.Fingerprint, Token: s.Token})
}

// Run runs a command of the administrator against the server.
func (s *Server) Run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Env = append(os.Environ(), "INGOT_SERVER="+s.URL, "INGOT_FINGERPRINT="+s.Fingerprint, "INGOT_TOKEN="+s.Token)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("ingot %s: %w\n%s%s", strings.Join(args, " "), err, out.String(), complaints.String())
	}
	return out.String(), nil
}

// Store is the server's store, opened beside it.
func (s *Server) Store(ctx context.Context) (*store.Store, error) {
	b, err := local.Open(filepath.Join(s.Folder, "store"))
	if err != nil {
		return nil, err
	}
	return store.OpenOrCreate(ctx, b)
}

// Check proves that the server's store is intact, down to every byte.
func (s *Server) Check(ctx context.Context) error {
	_, err := s.Run(ctx, "check", "--read-data", "--store", filepath.Join(s.Folder, "store"))
	return err
}

// Images are the names in the server's store.
func (s *Server) Images(ctx context.Context) ([]string, error) {
	opened, err := s.Store(ctx)
	if err != nil {
		return nil, err
	}
	all, damage, err := catalog.List(ctx, opened)
	var names []string
	for _, img := range all {
		for _, n := range img.Names {
			names = append(names, n.String())
		}
	}
	return names, errors.Join(err, damage)
}

// Packs are the keys of the packs that an image needs, by its name.
func Packs(ctx context.Context, s *store.Store, name string) (keys []string, err error) {
	img, err := catalog.Find(ctx, s, name)
	if err != nil {
		return nil, err
	}
	ids, err := content.Packs(ctx, s, img.Manifest, func(err error) error { return err })
	for _, id := range ids {
		keys = append(keys, "packs/"+id.String())
	}
	return keys, err
}

// PID is the ID of the server's process.
func (s *Server) PID() int { return s.process.Pid }

// Memory is how much memory the server's process has, and had at most, in bytes
// (VmRSS and VmHWM of proc_pid_status(5)).
func (s *Server) Memory() (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		switch fields[0] {
		case "VmRSS:":
			now = kib << 10
		case "VmHWM:":
			most = kib << 10
		}
	}
	return now, most, nil
}

// Raw is a connection to the server under TLS, for those who do not speak HTTP as one
// should.
func (s *Server) Raw(ctx context.Context) (net.Conn, error) {
	secure, err := s.secure()
	if err != nil {
		return nil, err
	}
	return dialSecure(ctx, s.listen, secure)
}

// Log is text that grows while it is read.
type Log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

var _ io.Writer = (*Log)(nil)

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
