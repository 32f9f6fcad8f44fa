package linux

import (
	"maps"
	"slices"
)

// Seeds are the files, where they are there, that a profile gives new random bytes.
func Seeds() []string { return slices.Clone(seeds) }

// Forgotten are patterns of the files that a profile removes, since they know the
// hardware of the reference PC or what it was given.
func Forgotten() []string { return slices.Clone(forgotten) }

// Carried are files that stay though they stand for the reference PC at some
// service, and what they are, as a clause.
func Carried() map[string]string { return maps.Clone(carried) }
