// Package apiclient is the JSON API of a server as calls, for the command line and
// for tests.
//
// It owns how a client tells its server from others (package trust, or the system's
// authorities), where a person's servers and tokens are kept, and that a token is
// sent to its server alone. Errors of the server are *message.Problem; it asks
// nobody anything and prints nothing. Start at New.
package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// Server is a server, and what a client needs to talk to it.
type Server struct {
	URL string `yaml:"url"` // as ParseURL returns it
	// Fingerprint is what the server's certificate is known by; "" for one that an
	// authority of this system signed.
	Fingerprint string `yaml:"fingerprint,omitempty"`
	Token       string `yaml:"token,omitempty"`
}

// Client talks to one server. Its methods may be called by several goroutines. Their
// errors are *message.Problem when the server refused, *UnreachableError when it
// could not be talked to.
type Client struct {
	server Server
	http   *http.Client
}

// defaultPort is where 'ingot serve' listens.
const defaultPort = "8443"

// ParseURL is the address of a server from what a person typed: https://host:port,
// or host or host:port, of which the port is 8443 when it is left out.
func ParseURL(s string) (string, error) {
	typed := s
	if !strings.Contains(s, "://") {
		if _, _, err := net.SplitHostPort(s); err != nil {
			s = net.JoinHostPort(strings.Trim(s, "[]"), defaultPort)
		}
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("%q is no address of a server", typed)
	}
	switch {
	case u.Scheme == "http":
		return "", errors.New("a token is only sent over https")
	case u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "":
		return "", fmt.Errorf("%q is no address of a server, such as https://images.example:8443", typed)
	}
	return "https://" + strings.ToLower(u.Host), nil
}

// New is a client of a server.
func New(s Server) (*Client, error) {
	address, err := ParseURL(s.URL)
	if err != nil {
		return nil, err
	}
	s.URL = address
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.Fingerprint != "" {
		f, err := trust.ParseFingerprint(s.Fingerprint)
		if err != nil {
			return nil, err
		}
		if config, err = trust.Config(f, time.Now); err != nil {
			return nil, err
		}
	}
	return &Client{server: s, http: &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 2 * time.Minute, IdleConnTimeout: time.Minute,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token is for this server
	}}, nil
}

// Server is the server's address.
func (c *Client) Server() string { return c.server.URL }

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// UnreachableError says that a server did not answer, or not as an ingot server does.
type UnreachableError struct {
	URL string
	Err error
}

func (e *UnreachableError) Error() string {
	if errors.As(e.Err, new(*trust.MismatchError)) {
		return fmt.Sprintf("%s: %v", e.URL, e.Err)
	}
	return fmt.Sprintf("%s does not answer: %v", e.URL, e.Err)
}
func (e *UnreachableError) Unwrap() error { return e.Err }

// maxAnswer bounds an answer that is not a stream, bytes.
const maxAnswer = 256 << 20

// request is what is asked of the server.
type request struct {
	method string
	path   []string // steps below message.Base, not escaped
	query  url.Values
	body   any       // sent as JSON; nil for none
	raw    io.Reader // instead of body
	kind   string    // media type of raw
}

// call asks, and puts the answer into out, which may be nil.
func (c *Client) call(ctx context.Context, q request, out any) error {
	response, err := c.send(ctx, q)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(out); err != nil {
		return c.unreachable(ctx, fmt.Errorf("read its answer: %w", err))
	}
	return nil
}

// send asks, and returns the answer of a success.
func (c *Client) send(ctx context.Context, q request) (*http.Response, error) {
	body := q.raw
	if q.body != nil {
		text, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body, q.kind = bytes.NewReader(text), "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, cmp.Or(q.method, http.MethodGet), c.address(q), body)
	if err != nil {
		return nil, err
	}
	if q.kind != "" {
		r.Header.Set("Content-Type", q.kind)
	}
	if c.server.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.server.Token)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	if response.StatusCode/100 == 2 {
		return response, nil
	}
	defer response.Body.Close()
	return nil, c.refusal(response)
}

func (c *Client) address(q request) string {
	var path strings.Builder
	for _, step := range q.path {
		path.WriteString("/" + url.PathEscape(step))
	}
	address := c.server.URL + message.Base + path.String()
	if len(q.query) > 0 {
		address += "?" + q.query.Encode()
	}
	return address
}

// unreachable is err, without the address that it repeats; a context that ended is
// told as such.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return &UnreachableError{URL: c.server.URL, Err: err}
}

// refusal is the problem that a server answered with.
func (c *Client) refusal(r *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20)) // what is there of it
	var p message.Problem
	if !strings.HasPrefix(r.Header.Get("Content-Type"), message.ProblemContent) || json.Unmarshal(text, &p) != nil || p.Status != r.StatusCode {
		return &UnreachableError{URL: c.server.URL, Err: fmt.Errorf("it answers %q, as no ingot server does", r.Status)}
	}
	return &p
}
