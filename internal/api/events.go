package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

type eventsQuery struct {
	Topics []string `query:"topics" nullable:"false" maxItems:"20" enum:"machine,batch,job,boot,image,profile,user" doc:"with commas between them; left out: all"`
}

// wants reports whether a reader asked for an event. That events were lost concerns
// every reader.
func (q *eventsQuery) wants(e control.Event) bool {
	return len(q.Topics) == 0 || e.Topic == control.TopicAll || slices.Contains(q.Topics, string(e.Topic))
}

const aboutEvents = `Server-sent events. Each message is one JSON document, {"topic": "job", "id": "j-..."}: something of it changed, read it again. ` +
	`An empty id stands for several. The topic "all" says that events were lost: read everything again, as after each new connection. ` +
	`Comments come in between, so that a dead connection is noticed. The stream ends when its token or session does.`

func addEvents(b builder) {
	o := b.operation(operation{id: "watchEvents", request: "GET /events", tag: tagServer, role: fleet.Viewer, summary: "what changes, as it changes", about: aboutEvents}, reflect.TypeFor[eventsQuery]())
	o.Responses["200"] = &huma.Response{
		Description: "a stream that does not end",
		Content:     map[string]*huma.MediaType{"text/event-stream": {Schema: b.schema(reflect.TypeFor[message.Event]())}},
	}
	huma.Register(b.huma, o, func(_ context.Context, in *eventsQuery) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			r, w := humago.Unwrap(ctx)
			s := stream{w: w, control: http.NewResponseController(w)}
			if err := b.api.watch(r, &s, in); err != nil && r.Context().Err() == nil {
				b.api.Log.Debug("a stream of events ended", "error", err)
			}
		}}, nil
	})
}

// watch sends events until the reader, its right to read or the server is gone.
func (a *API) watch(r *http.Request, s *stream, in *eventsQuery) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	events := a.Control.Subscribe(ctx)
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("X-Accel-Buffering", "no") // a proxy that waits for more would make it useless
	s.w.WriteHeader(http.StatusOK)
	if err := s.send(": ingot events\n\n"); err != nil {
		return err
	}
	beat := time.NewTicker(a.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			if _, err := a.whoAsks(r); err != nil {
				return err
			}
			if err := s.send(": alive\n\n"); err != nil {
				return err
			}
		case e, ok := <-events:
			if !ok {
				return nil
			}
			if !in.wants(e) {
				continue
			}
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if err := s.send(fmt.Sprintf("data: %s\n\n", text)); err != nil {
				return err
			}
		}
	}
}

// sendTime is how long a reader may take to read what was sent.
const sendTime = 10 * time.Second

// stream is an answer that is written piece by piece.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *stream) send(text string) error {
	s.control.SetWriteDeadline(time.Now().Add(sendTime)) // where it is not possible, the server's own limit holds
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
