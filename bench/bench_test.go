package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunPipeline(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s, err := run(context.Background(),
		command{"sh", "-c", "sleep 0.1; printf 12345"},
		command{"sh", "-c", "cat >" + out})
	if err != nil {
		t.Fatal(err)
	}
	if s.wall < 100*time.Millisecond || s.cpu <= 0 || s.peak <= 0 {
		t.Errorf("measured %+v", s)
	}
	if n, err := sizeOf(out); n != 5 || err != nil {
		t.Errorf("sizeOf is %d, %v; want 5", n, err)
	}
}

func TestRunPipelineFails(t *testing.T) {
	_, err := run(context.Background(), command{"yes"}, command{"sh", "-c", "echo cannot >&2; exit 3"})
	if err == nil || !strings.Contains(err.Error(), "exit status 3\ncannot") {
		t.Errorf("got %v, want the status and words of the second program", err)
	}
	if _, err := run(context.Background(), command{"yes"}, command{"/nonexistent"}); err == nil {
		t.Error("a program that is not there gave no error")
	}
}

func TestWarmAndBlank(t *testing.T) {
	path := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := blank(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := warm(path); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("holes were read: %v", took)
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want string
	}{
		{[]float64{3}, "3.00"},
		{[]float64{2, 2.001}, "2.00"},
		{[]float64{3, 1, 2}, "2.00 (1.00-3.00)"},
		{[]float64{400, 100, 300, 200}, "250 (100-400)"},
	} {
		if got := spread(c.list); got != c.want {
			t.Errorf("spread(%v) is %q, want %q", c.list, got, c.want)
		}
	}
}
