package apiclient

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
)

// silence is how long a stream of events may be without a word until it is taken for
// dead. Servers send something every 15 seconds.
const silence = time.Minute

// Watch calls heard with each event of some topics, all of them when there are none,
// until ctx ends, heard fails, or the server refuses. A connection that breaks is
// made again; after each new one, heard is called with the topic TopicAll.
func (c *Client) Watch(ctx context.Context, topics []control.Topic, heard func(message.Event) error) error {
	pause := time.Second
	for {
		began := time.Now()
		err := c.watchOnce(ctx, topics, heard)
		var problem *message.Problem
		var mine *heardError
		switch {
		case errors.As(err, &mine):
			return mine.err
		case errors.As(err, &problem) && problem.Status < 500:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if time.Since(began) > 10*pause {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// heardError is an error of whom Watch calls.
type heardError struct{ err error }

func (e *heardError) Error() string { return e.err.Error() }

// watchOnce reads one stream to its end.
func (c *Client) watchOnce(ctx context.Context, topics []control.Topic, heard func(message.Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var words []string
	for _, t := range topics {
		words = append(words, string(t))
	}
	response, err := c.send(ctx, request{path: []string{"events"}, query: query("topics", strings.Join(words, ","))})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	dead := time.AfterFunc(silence, cancel)
	defer dead.Stop()
	if err := heard(message.Event{Topic: control.TopicAll}); err != nil {
		return &heardError{err}
	}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		dead.Reset(silence)
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e message.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return c.unreachable(ctx, err)
		}
		if err := heard(e); err != nil {
			return &heardError{err}
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}
