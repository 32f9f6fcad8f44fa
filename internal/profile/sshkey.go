package profile

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// keyTypes are the public keys that OpenSSH takes, and how many fields each has
// after its name (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4,
// OpenSSH PROTOCOL.u2f).
func keyTypes() map[string]int {
	return map[string]int{
		"ssh-ed25519": 1, "ssh-rsa": 2,
		"ecdsa-sha2-nistp256": 2, "ecdsa-sha2-nistp384": 2, "ecdsa-sha2-nistp521": 2,
		"sk-ssh-ed25519@openssh.com": 2, "sk-ecdsa-sha2-nistp256@openssh.com": 3,
	}
}

// keyProblem says what is wrong with a line of authorized_keys (sshd(8)): options,
// type, base64 of the key, comment. "" is nothing. It is done here and not by
// golang.org/x/crypto/ssh, which would add 1.2 MiB to the program.
func keyProblem(line string) string {
	if strings.Contains(line, "PRIVATE KEY") {
		return "is a private key: want the public one, from the file that ends with .pub; and make a new pair, this one is no secret any more"
	}
	words := fieldsOutsideQuotes(line)
	if strings.HasPrefix(line, "#") {
		return "is a comment: leave it out, or write it behind a key"
	}
	for i := range min(2, len(words)) {
		switch fields, known := keyTypes()[words[i]]; {
		case words[i] == "ssh-dss":
			return "is a DSA key, which OpenSSH takes no more: make one with 'ssh-keygen -t ed25519'"
		case !known:
		case i+1 == len(words) || !keyBlob(words[i+1], words[i], fields):
			return "is not a whole key: copy the line from the file that ends with .pub"
		default:
			return ""
		}
	}
	return "is no line of authorized_keys: want one such as 'ssh-ed25519 AAAA... comment'"
}

// keyBlob reports whether text is the base64 of a key: its type, then n fields,
// each with its length before it.
func keyBlob(text, kind string, n int) bool {
	blob, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	for i := range n + 1 {
		if len(blob) < 4 {
			return false
		}
		length := binary.BigEndian.Uint32(blob)
		if blob = blob[4:]; length == 0 || uint64(length) > uint64(len(blob)) {
			return false
		}
		field := blob[:length]
		if i == 0 && string(field) != kind || kind == "ssh-ed25519" && i == 1 && len(field) != 32 {
			return false
		}
		blob = blob[length:]
	}
	return len(blob) == 0
}

// fieldsOutsideQuotes splits at blanks that are not inside "", where \" is no quote.
func fieldsOutsideQuotes(line string) (words []string) {
	quoted, escaped := false, false
	return strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' && !escaped {
			quoted = !quoted
		}
		escaped = r == '\\' && !escaped
		return !quoted && (r == ' ' || r == '\t')
	})
}
