package remote

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// UnreachableError says that a server was not heard of for so long that the call was
// given up. The same may well succeed later.
type UnreachableError struct {
	Server string
	Silent time.Duration
	Err    error // what went wrong last
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("nothing was heard of the server for %v (%v): is it on, and the network up?", e.Silent.Round(time.Second), e.Err)
}

func (e *UnreachableError) Unwrap() []error { return []error{e.Err, store.ErrUnavailable} }

// DeniedError says that the server refuses to do something for this token.
type DeniedError struct {
	Status int    // 401: the token is not valid, or no more; 403: it does not cover this
	Detail string // in the server's words
}

func (e *DeniedError) Error() string {
	if e.Status == http.StatusUnauthorized {
		return "the server does not accept this token: the job it was for has ended or belongs to somebody else (" + e.Detail + ")"
	}
	return "the server refuses: " + e.Detail
}

// Unwrap says that a token that is not valid gets nothing at all.
func (e *DeniedError) Unwrap() error {
	if e.Status == http.StatusUnauthorized {
		return store.ErrUnavailable
	}
	return nil
}

// CertificateError says that the server could not prove who it is.
type CertificateError struct{ Err error }

func (e *CertificateError) Error() string {
	var invalid x509.CertificateInvalidError
	if errors.As(e.Err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil {
		return fmt.Sprintf("the server's certificate is valid from %s to %s, and by this machine's clock it is %s: set the clock, or renew the certificate",
			invalid.Cert.NotBefore.Format(time.DateOnly), invalid.Cert.NotAfter.Format(time.DateOnly), time.Now().Format(time.DateTime))
	}
	return "the server could not prove who it is: " + e.Err.Error()
}

func (e *CertificateError) Unwrap() error { return e.Err }

// connectionError sorts what Client.Do returns: a server that is the wrong one stays
// that, all else may pass.
func connectionError(err error) error {
	var (
		wrong    *trust.MismatchError
		chain    *tls.CertificateVerificationError
		invalid  x509.CertificateInvalidError
		name     x509.HostnameError
		unknown  x509.UnknownAuthorityError
		noRecord tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &wrong):
		return wrong
	case errors.As(err, &chain), errors.As(err, &invalid), errors.As(err, &name), errors.As(err, &unknown):
		return &CertificateError{err}
	case errors.As(err, &noRecord):
		return fmt.Errorf("what answers there does not speak TLS: is the port right? (%w)", err)
	}
	return &passing{err: err}
}

// statusError makes an error of an answer that is not the one that was wanted.
func statusError(resp *http.Response) error {
	detail := problemOf(resp)
	said := fmt.Errorf("the server answers %s: %s", resp.Status, detail)
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return &DeniedError{code, detail}
	case code == http.StatusNotFound:
		return store.ErrNotFound
	case code == http.StatusPreconditionFailed:
		return store.ErrExists
	case code == http.StatusRequestedRangeNotSatisfiable:
		return store.ErrShort
	case code == http.StatusInsufficientStorage:
		return fmt.Errorf("%w: %s", syscall.ENOSPC, detail)
	case code == http.StatusTooManyRequests, code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return &passing{err: said, after: time.Duration(max(seconds, 0)) * time.Second}
	case code >= 500, code < 400, code == http.StatusRequestTimeout:
		return &passing{err: said, answered: true}
	}
	return said
}

// problemOf is what the server says in words, if it does.
func problemOf(resp *http.Response) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil || json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return http.StatusText(resp.StatusCode)
	}
	return problem.Detail
}
