package fleet_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// FuzzInventory is what an agent, or somebody who plays one, says of its machine.
func FuzzInventory(f *testing.F) {
	for _, inv := range []wire.Inventory{optiplex(), elitebook(), {}} {
		data, err := json.Marshal(inv)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var inv wire.Inventory
		if json.Unmarshal(data, &inv) != nil {
			return
		}
		clean := fleet.Clean(inv)
		if !reflect.DeepEqual(fleet.Clean(clean), clean) {
			t.Errorf("cleaning twice is not cleaning once: %+v", clean)
		}
		id := fleet.IdentityOf(inv)
		if len(id.Keys()) > 4+64+64 {
			t.Errorf("%d keys", len(id.Keys()))
		}
		l := fleet.Compare(id, id)
		if len(l.Differ) > 0 || (len(l.Agree) == 0) != id.Empty() {
			t.Errorf("%+v is not itself: %+v", id, l)
		}
		if name := fleet.DefaultName(inv); fleet.NameProblem(name) != "" {
			t.Errorf("%q is no name: %s", name, fleet.NameProblem(name))
		}
	})
}
