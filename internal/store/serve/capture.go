package serve

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Capture is a job that makes an image.
type Capture struct {
	Token string    // of the job; its leases are known by it
	Name  string    // of the image
	Tag   string    // "" for the next version
	Began time.Time // the job, by the server's clock
}

// version is what 'the next version' is called.
var version = regexp.MustCompile(`^v[1-9][0-9]{0,8}$`)

// ForCapture is what a capture may do: look which chunks there are, put new objects,
// its own leases and the image's name, and take back what is its own. It cannot read
// what others have captured. The Grant is good for longer than ctx.
func (s *Server) ForCapture(ctx context.Context, c Capture, who string) Grant {
	ctx = context.WithoutCancel(ctx)
	return Grant{
		Who: who,
		Read: func(key string) bool {
			return key == store.ConfigKey || hasPrefix(key, store.IndexPrefix, store.CondemnedPrefix, store.NamePrefix) || c.ownLease(key)
		},
		List: func(key string) bool {
			kind, _, _ := store.ParseKey(key)
			return kind == store.PackKind
		},
		Put: func(key string) bool {
			_, named := store.HashNamed(key)
			return named || c.ownLease(key) || c.ownName(key)
		},
		Delete: func(key string) bool {
			return c.ownLease(key) || c.ownName(key) && s.putSince(ctx, key, c.Began)
		},
	}
}

func hasPrefix(key string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return false
}

func (c Capture) ownLease(key string) bool {
	writer, ok := store.LeaseWriter(key)
	return ok && strings.HasPrefix(writer, store.WriterPrefix(c.Token))
}

func (c Capture) ownName(key string) bool {
	tag, ok := strings.CutPrefix(key, store.NamePrefix+c.Name+"/")
	return ok && (tag == c.Tag || c.Tag == "" && version.MatchString(tag))
}

// putSince reports whether an object was put after a moment: a name that older ones
// of the image have is not this job's to delete.
func (s *Server) putSince(ctx context.Context, key string, began time.Time) bool {
	o, err := s.backend.Stat(ctx, key)
	return err == nil && !o.ModTime.Before(began)
}
