package resize

import (
	"encoding/json"
	"fmt"
)

// specWord is the word under which a Spec is kept as JSON.
const specWord = "make"

// Words is s as it is kept in the listing of files that were captured.
func (s Spec) Words() map[string]string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a Spec is strings and numbers
	}
	return map[string]string{specWord: string(text)}
}

// ParseSpec is the opposite of Words. Words without a Spec, as those of a
// directory, are a zero Spec.
func ParseSpec(words map[string]string) (Spec, error) {
	var s Spec
	text, ok := words[specWord]
	if !ok {
		return s, nil
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("how the file system was made: %w", err)
	}
	return s, s.Valid()
}
