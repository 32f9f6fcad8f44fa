package webtest

import (
	"context"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Client is a browser without a screen.
type Client struct {
	http    *http.Client
	base    string
	cookies map[string]string
}

// Answer is what a page answered.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Get asks for a page.
func (c *Client) Get(t testing.TB, path string) Answer {
	t.Helper()
	return c.do(t, http.MethodGet, path, nil, nil)
}

// token finds the token of a page's forms.
var token = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// Token is what forms of this browser carry.
func (c *Client) Token(t testing.TB) string {
	t.Helper()
	for _, path := range []string{"/account", "/login", "/setup"} {
		if m := token.FindStringSubmatch(c.Get(t, path).Body); m != nil {
			return html.UnescapeString(m[1])
		}
	}
	t.Fatal("no page has a form")
	return ""
}

// Post sends a form with its token.
func (c *Client) Post(t testing.TB, path string, form url.Values) Answer {
	t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("csrf", c.Token(t))
	return c.PostRaw(t, path, form, nil)
}

// PostRaw sends a form as it is.
func (c *Client) PostRaw(t testing.TB, path string, form url.Values, header http.Header) Answer {
	t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.do(t, http.MethodPost, path, strings.NewReader(form.Encode()), header)
}

// Do sends a request with a body of any kind.
func (c *Client) Do(t testing.TB, method, path string, body io.Reader, header http.Header) Answer {
	t.Helper()
	return c.do(t, method, path, body, header)
}

func (c *Client) do(t testing.TB, method, path string, body io.Reader, header http.Header) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	for name, value := range c.cookies {
		if value != "" {
			request.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	answer, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	for _, cookie := range answer.Cookies() {
		c.cookies[cookie.Name] = cookie.Value
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{answer.StatusCode, answer.Header, string(text)}
}

// Watch reads the events of a page until ctx ends.
func (c *Client) Watch(ctx context.Context, path string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+path, nil)
	if err != nil {
		return
	}
	for name, value := range c.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // it ends with an error, always
}
