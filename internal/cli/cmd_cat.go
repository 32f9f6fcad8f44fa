package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
)

func (a *App) catCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cat IMAGE PATH",
		Short: "write a file of an image to standard output",
		Long:  "Cat writes the bytes of a regular file in an image to standard output.\n\n" + pathHelp,
		Example: `  ingot cat lab-pc /etc/fstab
  ingot cat lab-pc:v2 1:/EFI/debian/grub.cfg
  ingot cat office /Windows/System32/config/SOFTWARE > SOFTWARE`,
		Args:              exactArgs(2),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.json {
				return usageError{fmt.Errorf("cat writes a file's bytes, which are no JSON document")}
			}
			return a.cat(cmd.Context(), args[0], parsePlace(args[1]))
		},
	}
}

func (a *App) cat(ctx context.Context, ref string, at place) error {
	return a.withTree(ctx, ref, at, func(t *browse.Tree) error {
		name, err := t.Resolve(at.path, true)
		if err != nil {
			return err
		}
		f, err := t.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.CopyBuffer(a.stream(ctx), io.NewSectionReader(f, 0, f.Size()), make([]byte, 1<<20))
		return err
	})
}
