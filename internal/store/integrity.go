package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// TOC reads the table of contents of a pack of the given size. What is wrong
// with it is an *IntegrityError.
func (s *Store) TOC(ctx context.Context, id chunk.ID, size int64) ([]pack.Frame, error) {
	key := prefixPacks + id.String()
	if size < pack.HeaderSize+pack.TrailerSize || size > pack.MaxSize {
		return nil, &IntegrityError{key, -1, fmt.Sprintf("has %d bytes, which no pack has", size)}
	}
	end := size - pack.TrailerSize
	trailer := make([]byte, pack.TrailerSize)
	if err := s.part(ctx, key, trailer, end); err != nil {
		return nil, err
	}
	t, err := pack.ParseTrailer(trailer, size)
	if err != nil {
		return nil, &IntegrityError{key, end, err.Error()}
	}
	toc := make([]byte, t.TOCSize())
	if err := s.part(ctx, key, toc, end-t.TOCSize()); err != nil {
		return nil, err
	}
	frames, err := pack.ParseTOC(toc, t, size)
	if err != nil {
		return nil, &IntegrityError{key, end - t.TOCSize(), err.Error()}
	}
	return frames, nil
}

// part reads a part of an object that must be there.
func (s *Store) part(ctx context.Context, key string, p []byte, off int64) error {
	err := s.backend.Get(ctx, key, p, off)
	if errors.Is(err, ErrShort) {
		return &IntegrityError{key, off, "is cut off"}
	}
	return err
}

// CheckPack reads a whole pack, unpacks every chunk in it, and calls bad for
// everything that is not as it must be. The error says that it could not be read.
func (s *Store) CheckPack(ctx context.Context, id chunk.ID, dec *pack.Decoder, bad func(error)) error {
	key := prefixPacks + id.String()
	data, err := read(ctx, s.backend, key, pack.MaxSize)
	if err != nil {
		return err
	}
	found := false
	report := func(off int64, why string) {
		found = true
		bad(&IntegrityError{key, off, why})
	}
	if err := pack.CheckHeader(data, s.Hash()); err != nil {
		report(0, err.Error())
	}
	frames, err := s.TOC(ctx, id, int64(len(data)))
	var damage *IntegrityError
	if errors.As(err, &damage) {
		report(damage.Offset, damage.Why)
	} else if err != nil {
		return err
	}
	for _, f := range frames {
		if err := s.checkFrame(data, f, dec); err != nil {
			report(int64(f.Offset), err.Error())
		}
	}
	if got := s.Hash().Sum(data); got != id && !found {
		report(-1, "hashes to "+got.Short()+"..., not to its name")
	}
	return nil
}

// checkFrame unpacks one frame of a pack and checks the chunks in it.
func (s *Store) checkFrame(data []byte, f pack.Frame, dec *pack.Decoder) error {
	plain, err := dec.Decode(nil, data[f.Offset:f.Offset+f.Stored], f.Codec, f.Plain)
	if err != nil {
		return err
	}
	for _, c := range f.Chunks {
		if got := s.Hash().Sum(plain[c.Offset : c.Offset+c.Length]); got != c.ID {
			return fmt.Errorf("chunk hashes to %s, not to %s", got.Short(), c.ID.Short())
		}
	}
	return nil
}

// CheckAids reads every index, lease and condemnation and calls bad for each
// that is damaged. No image is lost by it.
func (s *Store) CheckAids(ctx context.Context, bad func(error)) error {
	kinds := []struct {
		prefix string
		check  func(key string, data []byte, bad func(error))
	}{
		{prefixIndexes, s.checkIndex},
		{prefixSessions, func(key string, data []byte, bad func(error)) { checkSealed(key, data, &Lease{}, bad) }},
		{prefixCondemned, func(key string, data []byte, bad func(error)) { checkSealed(key, data, &condemnation{}, bad) }},
	}
	for _, kind := range kinds {
		err := s.backend.List(ctx, kind.prefix, func(o Object) error {
			data, err := read(ctx, s.backend, o.Key, maxObject)
			var damage *IntegrityError
			switch {
			case errors.Is(err, ErrNotFound): // merged, renewed or carried out meanwhile
			case errors.As(err, &damage):
				bad(err)
			case err != nil:
				return err
			default:
				kind.check(o.Key, data, bad)
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("check %s: %w", kind.prefix, err)
		}
	}
	return nil
}

func checkSealed(key string, data []byte, v any, bad func(error)) {
	if err := unseal(key, data, v); err != nil {
		bad(err)
	}
}

// checkIndex checks every page of an index object, and its name.
func (s *Store) checkIndex(key string, data []byte, bad func(error)) {
	file, err := openIndex(key[len(prefixIndexes):], int64(len(data)), bytesAt(key, data))
	if err != nil {
		bad(err)
		return
	}
	found := false
	page := make([]byte, indexPage)
	for n := range file.fences {
		if _, err := file.page(n, page); err != nil {
			found = true
			bad(err)
		}
	}
	if got := s.Hash().Sum(data).String(); prefixIndexes+got != key && !found {
		bad(&IntegrityError{key, -1, "hashes to " + got[:12] + "..., not to its name"})
	}
}
