// Package store keeps chunks, maps, manifests and names in a Backend.
//
// It owns the formats of packs and indexes, the order in which objects are
// written and deleted, and how writers and a clean-up share a store without
// locks; doc/format.md is the normative text. It does not know what an image
// is: maps and manifests are bytes to it.
//
// A writer begins with Store.Begin, gives each of its goroutines a Writer, and
// ends with Session.Publish. A reader asks a Reader for one chunk after the
// other. Everything read is checked against its ID before it is returned.
package store
