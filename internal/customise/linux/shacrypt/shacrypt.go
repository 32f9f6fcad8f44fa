// Package shacrypt hashes passwords the way crypt(3) does for "$6$".
//
// It owns SHA-512 crypt alone, which every Linux of the last fifteen years
// checks, whatever its C library. It refuses passwords that crypt(3) could not be
// given. Start at New and Matches.
//
// Source: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6,
// whose numbered steps the comments name.
package shacrypt

import (
	"bytes"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	prefix        = "$6$"
	roundsPrefix  = "rounds="
	defaultRounds = 5000 // where a hash does not say
	minRounds     = 1000
	maxRounds     = 999_999_999
	maxSalt       = 16

	// rounds is what New uses: about 0.1 s on a PC, twenty times the default of
	// 2007.
	rounds = 100_000

	// checkRounds bounds what Matches is ready to compute for a hash out of an image.
	checkRounds = 1_000_000

	// MaxPassword is the longest password that libxcrypt takes (CRYPT_MAX_PASSPHRASE_SIZE).
	MaxPassword = 511
)

// alphabet is the base 64 of crypt(3).
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// New hashes a password with a new salt from rand.
func New(password string, rand io.Reader) (string, error) {
	if password == "" || len(password) > MaxPassword || strings.ContainsRune(password, 0) {
		return "", fmt.Errorf("a password has 1 to %d bytes, none of them zero", MaxPassword)
	}
	salt := make([]byte, maxSalt)
	if _, err := io.ReadFull(rand, salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	for i, b := range salt {
		salt[i] = alphabet[b&63]
	}
	return hash([]byte(password), salt, rounds, true), nil
}

// Matches reports whether hashed is the "$6$" hash of password. A hash of another
// kind, or one that would take minutes to check, matches nothing.
func Matches(password, hashed string) bool {
	salt, n, explicit, err := parse(hashed)
	if err != nil || n > checkRounds || len(password) > MaxPassword {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(hash([]byte(password), salt, n, explicit)), []byte(hashed)) == 1
}

// parse splits "$6$rounds=N$salt$hash".
func parse(s string) (salt []byte, n int, explicit bool, err error) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return nil, 0, false, errors.New("no SHA-512 hash")
	}
	n = defaultRounds
	if number, ok := strings.CutPrefix(s, roundsPrefix); ok {
		var text string
		text, s, _ = strings.Cut(number, "$")
		wanted, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, 0, false, fmt.Errorf("rounds %q: %w", text, err)
		}
		n, explicit = int(min(max(wanted, minRounds), maxRounds)), true
	}
	text, _, _ := strings.Cut(s, "$")
	return []byte(text[:min(len(text), maxSalt)]), n, explicit, nil
}

// hash is steps 1 to 22.
func hash(password, salt []byte, n int, explicit bool) string {
	sum := digestA(password, salt)
	p := produce(len(password), digestP(password)) // steps 13 to 16
	s := produce(len(salt), digestS(salt, sum[0])) // steps 17 to 20
	for i := range n {                             // step 21
		h := sha512.New()
		if i%2 != 0 {
			h.Write(p)
		} else {
			h.Write(sum)
		}
		if i%3 != 0 {
			h.Write(s)
		}
		if i%7 != 0 {
			h.Write(p)
		}
		if i%2 != 0 {
			h.Write(sum)
		} else {
			h.Write(p)
		}
		sum = h.Sum(sum[:0])
	}
	out := prefix
	if explicit {
		out += roundsPrefix + strconv.Itoa(n) + "$"
	}
	return out + string(salt) + "$" + encode(sum)
}

// digestA is steps 1 to 12, of which 4 to 8 make digest B.
func digestA(password, salt []byte) []byte {
	b := sha512.Sum512(bytes.Join([][]byte{password, salt, password}, nil))
	h := sha512.New()
	h.Write(password)
	h.Write(salt)
	h.Write(produce(len(password), b[:]))
	for bits := len(password); bits > 0; bits >>= 1 {
		if bits&1 != 0 {
			h.Write(b[:])
		} else {
			h.Write(password)
		}
	}
	return h.Sum(nil)
}

func digestP(password []byte) []byte {
	d := sha512.Sum512(bytes.Repeat(password, len(password)))
	return d[:]
}

func digestS(salt []byte, first byte) []byte {
	d := sha512.Sum512(bytes.Repeat(salt, 16+int(first)))
	return d[:]
}

// produce repeats digest until there are n bytes.
func produce(n int, digest []byte) []byte {
	return bytes.Repeat(digest, n/len(digest)+1)[:n]
}

// encode is step 22e: three bytes, 21 apart and turned by one each time, are four
// characters, the lowest six bits first.
func encode(sum []byte) string {
	var out strings.Builder
	emit := func(v uint32, chars int) {
		for range chars {
			out.WriteByte(alphabet[v&63])
			v >>= 6
		}
	}
	for i := range 21 {
		a, b, c := i, i+21, i+42
		switch i % 3 {
		case 1:
			a, b, c = b, c, a
		case 2:
			a, b, c = c, a, b
		}
		emit(uint32(sum[a])<<16|uint32(sum[b])<<8|uint32(sum[c]), 4)
	}
	emit(uint32(sum[63]), 2)
	return out.String()
}
