package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// built says which program this is.
type built struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // the source differed from the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *App) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "which program is this?",
		Long:    "Version prints the program's version, the commit it was built from, and by what.",
		Example: "  ingot version\n  ingot version --json",
		Args:    exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			b := build()
			return a.Answer(b, b.text)
		},
	}
}

func (b built) text(w io.Writer) {
	commit := b.Commit
	if b.Modified {
		commit += ", modified"
	}
	if commit == "" {
		commit = "commit unknown"
	}
	fmt.Fprintf(w, "ingot %s (%s) %s %s\n", b.Version, commit, b.Go, b.Platform)
}

// build is what the go command recorded in the program.
func build() built {
	b := built{Version: version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// version is the module's version, as the go command recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
