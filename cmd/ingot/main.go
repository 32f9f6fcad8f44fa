// Command ingot makes images of computers' disks and puts them on other disks, here
// and, as a server, on the machines of a room.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/cli"
)

func main() { os.Exit(program().Main()) }

// program is the shared command line and what only this program has.
func program() cli.Program {
	r := &remote{}
	return cli.Program{
		More: func(a *cli.App) []cli.Group {
			return []cli.Group{serverGroup(a), r.group(a)}
		},
		Adjust: func(_ *cli.App, root *cobra.Command) { r.adjust(root) },
	}
}
