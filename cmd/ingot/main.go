// Command ingot makes images of computers' disks and puts them on other disks.
package main

import (
	"os"

	"github.com/ingot-imaging/ingot/internal/cli"
)

func main() { os.Exit(cli.Program{}.Main()) }
