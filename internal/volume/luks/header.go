package luks

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Layout that both versions share, big-endian (struct luks_phdr and
// struct luks2_hdr_disk of the specifications).
const (
	versionAt = 6
	uuidAt    = 168
	uuidEnd   = 208
)

// Layout of a LUKS2 binary header.
const (
	binarySize = 4096 // JSON follows
	sizeAt     = 8    // of header and JSON
	labelAt    = 24
	labelEnd   = 72
	hashNameAt = 72
	hashEnd    = 104
	offsetAt   = 256
	checksumAt = 448
)

const (
	magic          = "LUKS\xba\xbe"
	magicSecondary = "SKUL\xba\xbe"
	// magicHidden is what cryptsetup-reencrypt puts into a LUKS1 header while it works.
	magicHidden = "LUKS\xde\xad"
)

// secondaryAt are the places of the second LUKS2 header, bytes: it lies behind
// the first, whose size is one of these.
var secondaryAt = [...]int64{1 << 14, 1 << 15, 1 << 16, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 1 << 21, 1 << 22}

// header is what is known about a volume.
type header struct {
	kind, uuid, label string
	notes             []string
	refusals          []volume.Refusal
}

// find returns the volume's header, nil when it is not LUKS.
func find(r block.Reader) (*header, error) {
	if r.Size() < binarySize {
		return nil, nil
	}
	first := make([]byte, binarySize)
	if err := block.ReadFull(r, first, 0); err != nil {
		return nil, err
	}
	version := binary.BigEndian.Uint16(first[versionAt:])
	signed := bytes.HasPrefix(first, []byte(magic))
	switch {
	case signed && version == 1:
		return &header{kind: "luks1", uuid: text(first[uuidAt:uuidEnd])}, nil
	case bytes.HasPrefix(first, []byte(magicHidden)):
		return &header{kind: "luks1", uuid: text(first[uuidAt:uuidEnd]), refusals: []volume.Refusal{unfinished()}}, nil
	case signed && version != 2:
		return &header{kind: "luks", notes: []string{fmt.Sprintf("Its LUKS version %d is not known to this program.", version)}}, nil
	}
	if !signed {
		return findSecondary(r)
	}
	h := describe2(first)
	metadata, fault, err := verify2(r, 0, first)
	if err != nil {
		return nil, err
	}
	if fault != "" {
		second, err := findSecondary(r)
		if second != nil || err != nil {
			return second, err
		}
		h.notes = append(h.notes, fmt.Sprintf("Neither of its headers is intact (%s); cryptsetup will not open it.", fault))
		return h, nil
	}
	h.readMetadata(metadata)
	return h, nil
}

// findSecondary looks for a second LUKS2 header; only an intact one counts.
func findSecondary(r block.Reader) (*header, error) {
	b := make([]byte, binarySize)
	for _, at := range secondaryAt {
		if at > r.Size()-binarySize {
			break
		}
		if err := block.ReadFull(r, b, at); err != nil {
			return nil, err
		}
		if !bytes.HasPrefix(b, []byte(magicSecondary)) || binary.BigEndian.Uint16(b[versionAt:]) != 2 {
			continue
		}
		metadata, fault, err := verify2(r, at, b)
		if err != nil {
			return nil, err
		}
		if fault == "" {
			h := describe2(b)
			h.notes = append(h.notes, "Its first header is damaged; the second one is intact. 'cryptsetup repair' restores the first.")
			h.readMetadata(metadata)
			return h, nil
		}
	}
	return nil, nil
}

func describe2(b []byte) *header {
	return &header{kind: "luks2", uuid: text(b[uuidAt:uuidEnd]), label: text(b[labelAt:labelEnd])}
}

// verify2 checks a binary header b at offset at and returns its JSON; fault says
// what is wrong with it.
func verify2(r block.Reader, at int64, b []byte) (metadata []byte, fault string, err error) {
	size := binary.BigEndian.Uint64(b[sizeAt:])
	if !slices.Contains(secondaryAt[:], int64(size)) || at != 0 && int64(size) != at || int64(size) > r.Size()-at {
		return nil, fmt.Sprintf("a header claims %d bytes", size), nil
	}
	if got := binary.BigEndian.Uint64(b[offsetAt:]); got != uint64(at) {
		return nil, fmt.Sprintf("the header at %#x says it lies at %#x", at, got), nil
	}
	sum := newHash(text(b[hashNameAt:hashEnd]))
	if sum == nil {
		return nil, fmt.Sprintf("the checksum %q is not known", text(b[hashNameAt:hashEnd])), nil
	}
	all := make([]byte, size)
	if err := block.ReadFull(r, all, at); err != nil {
		return nil, "", err
	}
	want := slices.Clone(all[checksumAt:][:sum.Size()])
	clear(all[checksumAt : checksumAt+64])
	sum.Write(all)
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, fmt.Sprintf("the checksum of the header at %#x is wrong", at), nil
	}
	return bytes.TrimRight(all[binarySize:], "\x00"), "", nil
}

func newHash(name string) hash.Hash {
	switch name {
	case "sha1":
		return sha1.New()
	case "sha256":
		return sha256.New()
	case "sha512":
		return sha512.New()
	}
	return nil
}

// readMetadata looks into the JSON for what forbids to take the volume as it is.
func (h *header) readMetadata(metadata []byte) {
	var m struct {
		Config struct {
			Requirements struct {
				Mandatory []string `json:"mandatory"`
			} `json:"requirements"`
		} `json:"config"`
	}
	if err := json.Unmarshal(metadata, &m); err != nil {
		h.notes = append(h.notes, "Its metadata cannot be read; cryptsetup will not open it.")
		return
	}
	for _, requirement := range m.Config.Requirements.Mandatory {
		if strings.Contains(requirement, "reencrypt") {
			h.refusals = []volume.Refusal{unfinished()}
			return
		}
	}
}

func unfinished() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.Dirty,
		What:     "it is in the middle of being encrypted anew",
		Do:       "Finish that with 'cryptsetup reencrypt --resume-only', or capture it as it is with --allow-dirty.",
		Waivable: true,
	}
}

// text is a NUL-terminated field as valid UTF-8.
func text(field []byte) string {
	field, _, _ = bytes.Cut(field, []byte{0})
	return strings.ToValidUTF8(string(field), "\uFFFD")
}
