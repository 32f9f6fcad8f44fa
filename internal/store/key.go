package store

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// ValidKey reports whether key has one of the forms of doc/format.md, section 1.
// Only such keys are accepted from strangers: none leads out of a folder, and none
// needs quoting in a URL.
func ValidKey(key string) bool {
	kind, name, _ := strings.Cut(key, "/")
	switch kind + "/" {
	case keyConfig + "/":
		return key == keyConfig
	case prefixPacks, prefixMaps, prefixManifests, prefixIndexes:
		return isHex(name, 64)
	case prefixCondemned:
		return isHex(name, 32)
	case prefixSessions:
		writer, number, _ := strings.Cut(name, ".")
		return isHex(writer, 32) && isNumber(number)
	case prefixNames:
		name, tag, _ := strings.Cut(name, "/")
		return namePart.MatchString(name) && namePart.MatchString(tag)
	}
	return false
}

// ValidPrefix reports whether keys can begin with prefix, as Backend.List takes it.
func ValidPrefix(prefix string) bool {
	switch prefix {
	case "", prefixPacks, prefixMaps, prefixManifests, prefixNames, prefixIndexes, prefixSessions, prefixCondemned:
		return true
	}
	name, ok := strings.CutPrefix(prefix, prefixNames)
	name, ended := strings.CutSuffix(name, "/")
	return ok && ended && namePart.MatchString(name)
}

func isHex(s string, digits int) bool {
	return len(s) == digits && strings.Trim(s, "0123456789abcdef") == ""
}

// isNumber accepts what strconv.Itoa writes for a number from 0.
func isNumber(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && strconv.Itoa(n) == s
}

// LeaseWriter is the writer whose lease key belongs to; false for any other key.
func LeaseWriter(key string) (writer string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefixSessions)
	writer, _, _ = strings.Cut(rest, ".")
	return writer, ok && ValidKey(key)
}

// writerPrefix is how many digits of a writer's name say whose it is.
const writerPrefix = 16

// WriterPrefix is how the names of writers begin that work for whoever has a token,
// so that a server knows without a table which leases are whose. It tells nothing of
// the token.
func WriterPrefix(token string) string {
	return chunk.SHA256.Sum([]byte("ingot writer\n" + token)).String()[:writerPrefix]
}

// WriterName is a new name of a writer that works for whoever has a token.
func WriterName(token string) string { return WriterPrefix(token) + randomName()[writerPrefix:] }

// HashNamed returns the hash that key says its object has; false for keys that
// are no hash.
func HashNamed(key string) (chunk.ID, bool) {
	if name, ok := strings.CutPrefix(key, prefixIndexes); ok {
		id, err := chunk.ParseID(name)
		return id, err == nil
	}
	_, id, ok := ParseKey(key)
	return id, ok
}

// CheckObject looks at the bytes of an object before they are stored for
// somebody who is not trusted: what is named by a hash has that hash and is no
// larger than a reader takes, what has a checksum passes it. The error is an
// *IntegrityError.
func CheckObject(hash chunk.Hash, key string, data []byte) error {
	if most := maxSize(key); int64(len(data)) > most {
		return &IntegrityError{key, -1, fmt.Sprintf("has %d bytes, more than the %d such an object may have", len(data), most)}
	}
	if id, ok := HashNamed(key); ok {
		if got := hash.Sum(data); got != id {
			return &IntegrityError{key, -1, "hashes to " + got.Short() + "..., not to its name"}
		}
		return nil
	}
	if !strings.HasPrefix(key, prefixNames) {
		return unseal(key, data, &struct{}{})
	}
	var n Name
	err := unseal(key, data, &n)
	if err == nil && n.Key() != key {
		err = &IntegrityError{key, -1, "holds the name " + n.String()}
	}
	return err
}

// maxSize is the limit of doc/format.md, section 12.
func maxSize(key string) int64 {
	kind, _, _ := strings.Cut(key, "/")
	switch kind + "/" {
	case prefixPacks:
		return pack.MaxSize
	case prefixSessions:
		return maxLease
	case keyConfig + "/", prefixNames:
		return maxSmall
	}
	return maxObject
}
