package lab

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Site is an imaging server, and an administrator who works on it from the command
// line.
type Site struct {
	t       *testing.T
	ingot   string // program
	folder  string
	token   string
	server  *exec.Cmd
	log     lockedBuffer
	printed struct{ URL, Fingerprint string }
}

// newSite is a server that was never started.
func newSite(t *testing.T) *Site {
	t.Helper()
	s := &Site{t: t, ingot: filepath.Join(prepared(), "ingot"), folder: filepath.Join(t.TempDir(), "data")}
	if err := os.Mkdir(s.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "cp", "-r", filepath.Join(prepared(), "bootenv"), s.folder)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("server's log:\n%s", s.log.String())
		}
	})
	return s
}

// Start starts the server, and returns when it answers.
func (s *Site) Start() {
	s.t.Helper()
	cmd := exec.Command(s.ingot, "serve", "--json", "--data", s.folder, "--netboot", "wire", "--listen", serverAddr+":8443")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = &s.log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = json.NewDecoder(out).Decode(&s.printed)
	}
	if err != nil {
		s.t.Fatalf("start the server: %v\n%s", err, s.log.String())
	}
	go io.Copy(io.Discard, out)
	s.server = cmd
	s.t.Cleanup(s.Kill)
}

// Kill ends the server as a power cut would.
func (s *Site) Kill() {
	if s.server != nil {
		_ = s.server.Process.Kill()
		_ = s.server.Wait()
		s.server = nil
	}
}

// SetUp makes the administrator by the link that the first start printed, and a token
// for the command line, as a person with a browser does.
func (s *Site) SetUp() {
	s.t.Helper()
	link, err := os.ReadFile(filepath.Join(s.folder, "setup-link"))
	if err != nil {
		s.t.Fatal(err)
	}
	_, code, _ := strings.Cut(strings.TrimSpace(string(link)), "#code=")
	if code, err = url.QueryUnescape(code); err != nil {
		s.t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	b := &browser{s.t, s.printed.URL, &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	const password = "correct horse battery staple"
	b.submit("/setup", url.Values{"code": {code}, "name": {"anna"}, "password": {password}, "again": {password}})
	page := b.submit("/tokens", url.Values{"name": {"lab"}, "role": {"admin"}, "days": {"1"}})
	if s.token = regexp.MustCompile(`ingot_[A-Za-z0-9_-]+`).FindString(page); s.token == "" {
		s.t.Fatalf("no token on the page:\n%s", page)
	}
}

// browser is one without scripts.
type browser struct {
	t      *testing.T
	base   string
	client *http.Client
}

var csrf = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// submit fills in the form of a page.
func (b *browser) submit(path string, form url.Values) string {
	b.t.Helper()
	m := csrf.FindStringSubmatch(b.read(b.client.Get(b.base + path)))
	if m == nil {
		b.t.Fatalf("%s has no form", path)
	}
	form.Set("csrf", m[1])
	r, _ := http.NewRequest(http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", b.base)
	return b.read(b.client.Do(r))
}

func (b *browser) read(resp *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %s, %v\n%s", resp.Request.URL, resp.Status, err, page)
	}
	return string(page)
}

// Ingot runs a command of the administrator, which must succeed, and returns what it
// printed.
func (s *Site) Ingot(args ...string) string {
	s.t.Helper()
	out, complaints, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("ingot %s: %v\n%s%s", strings.Join(args, " "), err, out, complaints)
	}
	return out
}

func (s *Site) try(args ...string) (out, complaints string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.ingot, args...)
	cmd.Env = append(os.Environ(), "INGOT_SERVER="+s.printed.URL, "INGOT_FINGERPRINT="+s.printed.Fingerprint, "INGOT_TOKEN="+s.token)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// Approve waits until a PC asks to be let in, and lets it in under a name.
func (s *Site) Approve(pc *PC, name string, limit time.Duration) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Second) {
		if id := s.find(pc); id != "" {
			s.Ingot("machines", "approve", id, "--name", name)
			s.t.Logf("PC %d (%s) asked to be let in after %.0f s", pc.number, pc.firmware, time.Since(began).Seconds())
			return
		}
		if time.Since(began) > limit {
			s.t.Fatalf("PC %d (%s) did not ask to be let in within %v; it asked for:\n%s", pc.number, pc.firmware, limit, s.Ingot("boots"))
		}
	}
}

// find is the ID of a PC, "" while it is not known.
func (s *Site) find(pc *PC) string {
	s.t.Helper()
	var list []struct {
		ID        string
		Inventory struct{ Serial string }
	}
	text := s.Ingot("machines", "list", "--json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		s.t.Fatalf("%v:\n%s", err, text)
	}
	for _, m := range list {
		if m.Inventory.Serial == pc.serial() {
			return m.ID
		}
	}
	return ""
}

// Jobs is the state of the newest job of each machine and kind: "pc-1 deploy" ->
// "done".
func (s *Site) Jobs() map[string]string {
	s.t.Helper()
	var list []struct{ Name, Kind, State string }
	text := s.Ingot("jobs", "list", "--json")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		s.t.Fatalf("%v:\n%s", err, text)
	}
	states := map[string]string{}
	for _, j := range list {
		if name := j.Name + " " + j.Kind; states[name] == "" {
			states[name] = j.State
		}
	}
	return states
}

// Until waits until a job is in a state.
func (s *Site) Until(job, state string, limit time.Duration) {
	s.t.Helper()
	for began := time.Now(); ; time.Sleep(time.Second) {
		now := s.Jobs()[job]
		if now == state {
			s.t.Logf("%s: %s after %.0f s", job, state, time.Since(began).Seconds())
			return
		}
		if now == "failed" || now == "cancelled" || now == "done" || time.Since(began) > limit {
			s.t.Fatalf("%s is %q, not %q:\n%s", job, now, state, fmt.Sprint(s.Ingot("jobs", "list")))
		}
	}
}

// lockedBuffer is written by one and read by another.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
