package apiclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// get asks for something.
func get[T any](ctx context.Context, c *Client, query url.Values, path ...string) (T, error) {
	var out T
	err := c.call(ctx, request{path: path, query: query}, &out)
	return out, err
}

// post sends a value and returns what came of it.
func post[T any](ctx context.Context, c *Client, body any, path ...string) (T, error) {
	var out T
	err := c.call(ctx, request{method: http.MethodPost, path: path, body: body}, &out)
	return out, err
}

func (c *Client) post(ctx context.Context, body any, path ...string) error {
	return c.call(ctx, request{method: http.MethodPost, path: path, body: body}, nil)
}

func (c *Client) put(ctx context.Context, body any, path ...string) error {
	return c.call(ctx, request{method: http.MethodPut, path: path, body: body}, nil)
}

func (c *Client) remove(ctx context.Context, path ...string) error {
	return c.call(ctx, request{method: http.MethodDelete, path: path}, nil)
}

// query is parameters without those that are empty: "", 0, false.
func query(pairs ...any) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		switch text := fmt.Sprint(pairs[i+1]); text {
		case "", "0", "false":
		default:
			v.Set(fmt.Sprint(pairs[i]), text)
		}
	}
	return v
}
