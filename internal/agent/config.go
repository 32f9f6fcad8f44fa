package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Config is what an agent was told of its server. Server is "" on a technician's
// stick, Secret wherever nothing was made for this boot.
type Config struct {
	wire.Enrol
	Mode string // Menu, Standalone, or anything else for neither
}

// Modes.
const (
	Menu       = "menu"       // the screen begins with the menu
	Standalone = "standalone" // no server, even if one is known
)

// ReadConfig reads wire.EnrolFile below root, then what the kernel's command line says of
// the server: ingot.server, ingot.fingerprint, ingot.mode. The file wins, since only
// it can hold a secret for that server.
func ReadConfig(root fs.FS, params map[string]string) (Config, error) {
	c := Config{wire.Enrol{Server: params["ingot.server"], Fingerprint: params["ingot.fingerprint"]}, params["ingot.mode"]}
	b, err := fs.ReadFile(root, wire.EnrolFile)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err == nil {
		var told wire.Enrol
		err = json.Unmarshal(b, &told)
		if err == nil && told.Server != "" {
			c.Enrol = told
		}
	}
	if err != nil {
		return c, fmt.Errorf("read what was left for this boot in /%s: %w", wire.EnrolFile, err)
	}
	return c, nil
}
