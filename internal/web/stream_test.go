package web_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
)

// TestStream reads the events of every live page, and sees one of them change.
func TestStream(t *testing.T) {
	room := webtest.New(t)
	admin, secret := room.Admin(t)
	f := room.Fill(t, admin)
	for _, route := range web.Routes() {
		if !strings.HasPrefix(route.Path, "/events/") {
			continue
		}
		ids := map[string]string{"/events/machines/{id}": f.Machine, "/events/batches/{id}": f.Batch, "/events/jobs/{id}": f.Running}
		path := strings.NewReplacer("{id}", ids[route.Path], "{ref}", f.Image).Replace(route.Path)
		if got := room.Client("").Get(t, path); got.Status != http.StatusUnauthorized {
			t.Errorf("%s without a login: %d", path, got.Status)
		}
		event := listen(t, room, secret, path)
		if text := event(); !strings.Contains(text, "<hx-partial") || !strings.Contains(text, "\nid: ") && !strings.HasPrefix(text, "id: ") {
			t.Errorf("%s begins with %.300s", path, text)
		}
	}
	event := listen(t, room, secret, "/events/machines")
	event()
	if err := room.Control.SetHostname(t.Context(), admin, f.Machine, "another-name"); err != nil {
		t.Fatal(err)
	}
	text := event()
	for !strings.Contains(text, "another-name") { // agents said hello meanwhile
		text = event()
	}
	if strings.Count(text, "<tr") > 3 {
		t.Errorf("a machine that changed sends %s", text)
	}
	if strings.Contains(text, "csrf") || strings.Contains(text, secret) {
		t.Error("what all viewers share holds what is one's own")
	}
}

// TestStreamEnds ends a stream with its session.
func TestStreamEnds(t *testing.T) {
	room := webtest.New(t)
	admin, _ := room.Admin(t)
	viewer := room.User(t, admin, "vera", fleet.Viewer)
	event := listen(t, room, viewer, "/events/overview")
	event()
	if err := room.Control.SetDisabled(t.Context(), admin, "vera", true); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(25 * time.Second)
	for ended := make(chan bool, 1); ; {
		go func() { ended <- event() == "" }()
		select {
		case done := <-ended:
			if done {
				return
			}
		case <-deadline:
			t.Fatal("the stream of a user who was switched off goes on")
		}
	}
}

// listen returns a function that waits for the next event; it is "" at the end.
func listen(t *testing.T, room *webtest.Room, secret, path string) func() string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: room.Server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}}
	ctx, stop := context.WithTimeout(t.Context(), 40*time.Second)
	t.Cleanup(stop)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, room.Server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: secret})
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: %s, %s", path, answer.Status, answer.Header.Get("Content-Type"))
	}
	lines := bufio.NewReader(answer.Body)
	return func() string {
		var text strings.Builder
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return text.String()
			}
			if line == "\n" && strings.Contains(text.String(), "data: ") {
				return text.String()
			}
			if !strings.HasPrefix(line, ":") {
				text.WriteString(line)
			}
		}
	}
}
