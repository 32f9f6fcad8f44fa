package windows

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// edits carries out the registry edits of the profile. Errors name the key, never
// the value, which may be a secret.
func (s *session) edits() error {
	for i, edit := range s.want.Windows.Registry {
		if err := s.editOne(edit); err != nil {
			return fmt.Errorf("edit %d, of %s: %w", i+1, edit.Key, err)
		}
	}
	return nil
}

func (s *session) editOne(edit profile.RegistryEdit) error {
	name, key, err := s.place(edit.Key)
	if err != nil {
		return err
	}
	e, err := s.tree.edit(name)
	if err != nil {
		return err
	}
	if edit.Delete {
		return e.Delete(key, edit.Name)
	}
	v, err := valueOf(edit)
	if err != nil {
		return err
	}
	return e.Set(key, v)
}

// place is the hive that holds a key of HKLM, and the key in it.
func (s *session) place(key string) (name, inside string, err error) {
	parts := strings.SplitN(key, `\`, 3)
	if len(parts) < 3 || parts[2] == "" || !strings.EqualFold(parts[0], "HKLM") {
		return "", "", errors.New(`it is no key below HKLM\SOFTWARE or HKLM\SYSTEM`)
	}
	inside = parts[2]
	switch strings.ToUpper(parts[1]) {
	case "SOFTWARE":
		return software, inside, nil
	case "SYSTEM":
		first, rest, _ := strings.Cut(inside, `\`)
		if !strings.EqualFold(first, "CurrentControlSet") {
			return system, inside, nil
		}
		control, err := s.controlSet()
		return system, strings.TrimSuffix(control+`\`+rest, `\`), err
	}
	return "", "", errors.New("only SOFTWARE and SYSTEM are edited")
}

func valueOf(edit profile.RegistryEdit) (hive.Value, error) {
	data, err := edit.Data()
	if err != nil {
		return hive.Value{}, fmt.Errorf("the value %w", err)
	}
	switch d := data.(type) {
	case string:
		if strings.Contains(d, "\x00") {
			return hive.Value{}, errors.New("the value has a null character in it")
		}
		if edit.Type == "expand-sz" {
			return hive.ExpandString(edit.Name, d), nil
		}
		return hive.String(edit.Name, d), nil
	case uint32:
		return hive.Number(edit.Name, d), nil
	case uint64:
		return hive.LongNumber(edit.Name, d), nil
	case []string:
		return hive.Strings(edit.Name, d...), nil
	case []byte:
		return hive.Bytes(edit.Name, d), nil
	}
	return hive.Value{}, fmt.Errorf("its type %q is not known", edit.Type)
}
