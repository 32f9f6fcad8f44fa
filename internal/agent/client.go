package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// A client speaks the protocol of package wire. Its server is known by its
// fingerprint alone, and dates in certificates do not count: a PC with an empty
// battery starts in 1970 or 2099, and gets its time from the server's first answer.
type client struct {
	base string
	http *http.Client
}

const (
	connectTimeout = 10 * time.Second
	answerTimeout  = 30 * time.Second
	maxProblem     = 16 << 10
)

func newClient(server string, fingerprint string) (*client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("the server's address is like https://10.0.0.1:8443, not %q", server)
	}
	f, err := trust.ParseFingerprint(fingerprint)
	if err != nil {
		return nil, err
	}
	secure, err := trust.Config(f, nil)
	if err != nil {
		return nil, err
	}
	c := &client{base: strings.TrimSuffix(server, "/")}
	c.http = &http.Client{Transport: &http.Transport{
		DialContext:           (&net.Dialer{Timeout: connectTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSClientConfig:       secure,
		TLSHandshakeTimeout:   connectTimeout,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   2,
		ResponseHeaderTimeout: wire.NextWait + answerTimeout,
		// No HTTP/2: it would use one connection for everything, a dead one too, until TCP
		// gives it up after a quarter of an hour. HTTP/1.1 closes one that gave no answer.
		Protocols: onlyHTTP1(),
	}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

func onlyHTTP1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// do makes a request of the worker; what hello says is given.
func (c *client) do(ctx context.Context, r request, h wire.Hello) answered {
	a := answered{verb: r.verb}
	timeout := answerTimeout
	switch r.verb {
	case hello:
		h.Running = r.job
		a.err = c.post(ctx, timeout, wire.HelloPath, "", h, &a.welcome)
		if a.err == nil && a.welcome.Session == "" {
			a.err = fmt.Errorf("%s answers, but not as an ingot server", c.base)
		}
	case next:
		a.err = c.post(ctx, timeout+wire.NextWait, wire.NextPath, r.session, struct{}{}, &a.order)
	case report:
		a.err = c.post(ctx, timeout, jobPath(wire.ReportPath, r.job), r.session, r.report, &a.reply)
	case finish:
		a.err = c.post(ctx, timeout, jobPath(wire.FinishPath, r.job), r.session, r.result, &a.reply)
	}
	return a
}

func jobPath(path, job string) string {
	return strings.Replace(path, "{job}", url.PathEscape(job), 1)
}

// post sends a value and reads the answer into another.
func (c *client) post(ctx context.Context, timeout time.Duration, path, session string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	resp, err := c.send(ctx, http.MethodPost, path, session, bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, wire.MaxBody)).Decode(into); err != nil {
		return fmt.Errorf("%s answers, but not as an ingot server: %w", c.base, err)
	}
	return nil
}

// send returns an answer that is a success; a *statusError for others.
func (c *client) send(ctx context.Context, method, path, session string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if session != "" {
		req.Header.Set("Authorization", "Bearer "+session)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, plainer(err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, &statusError{resp.StatusCode, problem(resp.Body)}
}

// problem is what a problem+json (RFC 9457) says.
func problem(r io.Reader) string {
	var p struct{ Title, Detail string }
	if json.NewDecoder(io.LimitReader(r, maxProblem)).Decode(&p) != nil {
		return ""
	}
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// plainer leaves out method and address, which the console shows anyway.
func plainer(err error) error {
	if u, ok := err.(*url.Error); ok {
		return u.Err
	}
	return err
}
