package dbtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Password of the PostgreSQL server that tests use.
const Password = "only-for-tests"

// Postgres starts a PostgreSQL server of its own on a free port of the loopback
// interface, and returns the URL of its first database. It ends with the test, and
// with the process. A machine without PostgreSQL fails the test.
func Postgres(t testing.TB) *url.URL {
	t.Helper()
	bin := postgresPrograms(t)
	as := postgresUser(t)
	dir, err := os.MkdirTemp("", "ingot-pg-") // of a short name, for sockets
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	if as != nil {
		must(t, os.Chown(dir, int(as.Uid), int(as.Gid)))
	}
	data, secret := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	must(t, os.WriteFile(secret, []byte(Password), 0o644)) // it is no secret
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir, cmd.Env = dir, []string{"LC_ALL=C.UTF-8", "TZ=Asia/Kathmandu", "PATH=" + bin + ":/usr/bin:/bin"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		return cmd
	}
	if said, err := run("initdb", "-D", data, "-U", "ingot", "--auth=scram-sha-256", "--pwfile="+secret, "--encoding=UTF8", "--no-sync").CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, said)
	}
	for range 5 { // somebody else may take the port
		port := freePort(t)
		server := run("postgres", "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir, "-c", "fsync=off", "-c", "max_connections=60")
		if startPostgres(t, server, port) {
			return &url.URL{Scheme: "postgres", User: url.UserPassword("ingot", Password), Host: fmt.Sprintf("127.0.0.1:%d", port), Path: "/postgres", RawQuery: "sslmode=disable"}
		}
	}
	t.Fatal("PostgreSQL does not start")
	return nil
}

// postgresPrograms is the folder of the server's programs, which Debian does not
// have in PATH.
func postgresPrograms(t testing.TB) string {
	t.Helper()
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); err == nil && len(found) > 0 {
		return filepath.Dir(slices.Max(found))
	}
	found, err := exec.LookPath("postgres")
	if err != nil {
		t.Fatalf("PostgreSQL is missing, install the package postgresql: %v", err)
	}
	found, err = filepath.EvalSymlinks(found)
	must(t, err)
	return filepath.Dir(found)
}

// postgresUser is whom the server runs as, since it refuses root; nil: as who runs
// the test.
func postgresUser(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		must(t, errors.Join(err1, err2))
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	t.Fatal("there is no user postgres or nobody to run PostgreSQL as")
	return nil
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startPostgres starts the server and waits until it answers; false when it ended.
func startPostgres(t testing.TB, server *exec.Cmd, port int) bool {
	t.Helper()
	var said bytes.Buffer
	server.Stdout, server.Stderr = &said, &said
	server.SysProcAttr.Pdeathsig = syscall.SIGQUIT // ends it at once
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the signal comes when this thread ends
		started <- server.Start()
		_ = server.Wait()
		close(ended)
	}()
	must(t, <-started)
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			t.Logf("PostgreSQL ended: %s", said.String())
			return false
		default:
		}
		if exec.Command(filepath.Join(filepath.Dir(server.Path), "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(port)).Run() != nil {
			continue
		}
		t.Cleanup(func() {
			_ = server.Process.Signal(syscall.SIGQUIT)
			<-ended
		})
		return true
	}
	_ = server.Process.Kill()
	<-ended
	t.Fatalf("PostgreSQL does not answer: %s", said.String())
	return false
}
