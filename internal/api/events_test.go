package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/apitest"
	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// listen opens a stream of events, and returns its lines.
func (s *server) listen(ctx context.Context, token, query string) <-chan string {
	s.t.Helper()
	h := httptest.NewServer(s.API)
	s.t.Cleanup(h.Close)
	r, err := http.NewRequestWithContext(ctx, "GET", h.URL+message.Base+"/events"+query, nil)
	s.must(err)
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := h.Client().Do(r)
	s.must(err)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("%s %v", answer.Status, answer.Header)
	}
	lines := make(chan string, 1000)
	go func() {
		defer close(lines)
		defer answer.Body.Close()
		for scanner := bufio.NewScanner(answer.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

// until reads lines until one is want, and returns those before it.
func until(t *testing.T, lines <-chan string, want string) []string {
	t.Helper()
	var before []string
	for limit := time.After(10 * time.Second); ; {
		select {
		case line, ok := <-lines:
			if line == want && ok {
				return before
			}
			if !ok {
				t.Fatalf("the stream ended without %q, after %q", want, before)
			}
			before = append(before, line)
		case <-limit:
			t.Fatalf("no %q, only %q", want, before)
		}
	}
}

func TestEvents(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all := s.listen(ctx, s.tokens[fleet.Viewer], "")
	machines := s.listen(ctx, s.tokens[fleet.Viewer], "?topics=machine,job")
	until(t, all, ": ingot events")
	until(t, machines, ": ingot events")
	s.must(s.SetImageNotes(ctx, apitest.Admin(), "lab-pc", "x"))
	s.must(s.SetNotes(ctx, apitest.Admin(), s.agents[0].Machine, "x"))
	want := `data: {"topic":"machine","id":"` + s.agents[0].Machine + `"}`
	if before := until(t, all, want); !strings.Contains(strings.Join(before, " "), `"topic":"image"`) {
		t.Errorf("only %q", before)
	}
	if before := until(t, machines, want); strings.Contains(strings.Join(before, " "), "image") {
		t.Errorf("topics are not looked at: %q", before)
	}
	until(t, machines, ": alive")
}

// TestEventsEnd checks that a stream ends with the token that it was opened with.
func TestEventsEnd(t *testing.T) {
	s := newServer(t)
	token, secret, err := s.AddToken(t.Context(), apitest.Admin(), "short", fleet.Viewer, 0)
	s.must(err)
	lines := s.listen(t.Context(), secret, "?topics=boot")
	until(t, lines, ": ingot events")
	s.must(s.RemoveToken(t.Context(), apitest.Admin(), token.ID))
	for limit := time.After(10 * time.Second); ; {
		select {
		case _, ok := <-lines:
			if !ok {
				return
			}
		case <-limit:
			t.Fatal("who has no token any more still hears everything")
		}
	}
}

func TestEventsRefused(t *testing.T) {
	s := newServer(t)
	if r := s.ask(fleet.Viewer, "GET", "/events?topics=secrets", "", ""); r.StatusCode != http.StatusUnprocessableEntity {
		t.Error(r.Status)
	}
	if r := s.ask("", "GET", "/events", "", ""); r.StatusCode != http.StatusUnauthorized {
		t.Error(r.Status)
	}
}
