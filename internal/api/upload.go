package api

import (
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Limits of bodies that are not JSON, bytes. What a folder's files may hold together
// is control's to say.
const (
	maxTable  = 8 << 20
	maxYAML   = 1 << 20
	maxFolder = 4 << 30
)

// uploadTime is how long a body may take to come in.
const uploadTime = 30 * time.Minute

// Upload is a request whose body is read while it comes in. It is exported for huma
// alone, which looks for Resolve.
type Upload struct {
	r *http.Request
	w http.ResponseWriter
}

// Resolve keeps the request.
func (u *Upload) Resolve(ctx huma.Context) []error {
	u.r, u.w = humago.Unwrap(ctx)
	return nil
}

// body is the body, which ends with an error after limit bytes.
func (u *Upload) body(limit int64) io.Reader {
	http.NewResponseController(u.w).SetReadDeadline(time.Now().Add(uploadTime)) // where it is not possible, the server's own limit holds
	return http.MaxBytesReader(u.w, u.r.Body, limit)
}
