package store

import "github.com/ingot-imaging/ingot/internal/chunk"

// A session that gives a name to what is there already relies on all of it, as
// one that captures relies on what it reuses.

// Threatened reports whether anything is condemned. If not, everything stays
// that was there after Begin, while the session lives.
func (ses *Session) Threatened() bool { return len(ses.condemned) > 0 }

// Rely returns a *CondemnedError when the object of that name may be deleted.
func (ses *Session) Rely(kind Kind, id chunk.ID) error {
	if key := string(kind) + "/" + id.String(); ses.condemned[key] {
		return &CondemnedError{key}
	}
	return nil
}

// RelyOnChunk returns a *CondemnedError when the chunk lies in no pack that stays.
// pack is where a map says it is.
func (ses *Session) RelyOnChunk(id, pack chunk.ID) error {
	if ses.finder.has(pack) {
		return nil
	}
	_, ok, err := ses.finder.find(id)
	if err != nil || ok {
		return err
	}
	return &CondemnedError{prefixPacks + pack.String()}
}
