package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// manCommand writes the manual from the help texts, so that the two never differ.
func (a *App) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "write the manual pages into a folder",
		Long:    "Man writes ingot.1 and a page for each command into DIR, which it makes if need be.",
		Example: "  ingot man /usr/local/share/man/man1",
		Args:    exactArgs(1),
		Hidden:  true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			return errors.Join(writeManPages(args[0], cmd.Root(), build().Version)...)
		},
	}
}

// writeManPages writes the page of cmd and those of the commands below it.
func writeManPages(dir string, cmd *cobra.Command, version string) (errs []error) {
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
	errs = append(errs, os.WriteFile(filepath.Join(dir, name+".1"), manPage(cmd, version), 0o644))
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			errs = append(errs, writeManPages(dir, c, version)...)
		}
	}
	return errs
}
