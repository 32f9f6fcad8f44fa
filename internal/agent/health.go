package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// smart is what smartctl --json prints, of it what matters.
type smart struct {
	Status *struct {
		Passed bool `json:"passed"`
	} `json:"smart_status"`
	NVMe *struct {
		Warning int `json:"critical_warning"`
		Used    int `json:"percentage_used"`
		Media   int `json:"media_errors"`
	} `json:"nvme_smart_health_information_log"`
}

// addHealth asks the disks how they are. Without smartctl, or an answer, nothing is
// known, and nothing is said.
func addHealth(ctx context.Context, disks []wire.Disk) {
	if tool.Need(tool.Smartctl) != nil {
		return
	}
	for i := range disks {
		if t := disks[i].Transport; t != "sata" && t != "nvme" && t != "sas" && t != "scsi" {
			continue
		}
		var out bytes.Buffer
		c := tool.Command{Name: tool.Smartctl, Args: []string{"--json", "--health", "--attributes", disks[i].Path}, Out: &out}
		_, _ = c.Run(ctx) // the bits of its exit code say what the document says
		disks[i].Health = health(out.Bytes())
	}
}

// health is "ok", "failing: ..." or "".
func health(document []byte) string {
	var s smart
	if json.Unmarshal(document, &s) != nil || s.Status == nil {
		return ""
	}
	switch n := s.NVMe; {
	case n != nil && n.Warning != 0:
		return fmt.Sprintf("failing: the disk warns (critical warning 0x%02x, %d %% of its life used, %d media errors)", n.Warning, n.Used, n.Media)
	case !s.Status.Passed:
		return "failing: the disk expects to fail soon (SMART)"
	}
	return "ok"
}
