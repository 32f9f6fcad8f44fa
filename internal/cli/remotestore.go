package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// openRemote opens the store of a server. What proves who is who is in the
// environment, where other users of the machine do not see it: INGOT_TOKEN, and
// INGOT_FINGERPRINT for a server that is its own authority.
func (a *App) openRemote(ctx context.Context, url string) (*store.Store, error) {
	token := os.Getenv("INGOT_TOKEN")
	if token == "" {
		return nil, usageError{fmt.Errorf("%s wants a token; put it into the environment as INGOT_TOKEN", url)}
	}
	secure, err := secureBy(os.Getenv("INGOT_FINGERPRINT"))
	if err != nil {
		return nil, err
	}
	a.network = &progress.Traffic{}
	b, err := remote.Open(remote.Config{URL: url, TLS: secure, Token: func() string { return token }, Traffic: a.network})
	if err != nil {
		return nil, usageError{err}
	}
	s, err := store.Open(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", url, err)
	}
	return s, nil
}

// secureBy is how a server with this fingerprint is told from others; with "" the
// system's authorities say.
func secureBy(fingerprint string) (*tls.Config, error) {
	if fingerprint == "" {
		return nil, nil
	}
	f, err := trust.ParseFingerprint(fingerprint)
	if err != nil {
		return nil, usageError{fmt.Errorf("INGOT_FINGERPRINT: %w", err)}
	}
	return trust.Config(f, nil)
}
