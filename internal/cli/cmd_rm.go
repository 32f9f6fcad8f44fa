package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/store"
)

// removed is the result of rm.
type removed struct {
	Removed []string `json:"removed"` // names
}

func (a *App) rmCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "rm IMAGE...",
		Short: "remove images",
		Long: `Rm takes names away. An image that has none left is gone; 'ingot gc' frees its
space. IMAGE is NAME:TAG, the first digits of an ID (all names of that image), or
with --all-versions NAME.`,
		Example:           "  ingot rm lab-pc:v1\n  ingot rm lab-pc --all-versions",
		Args:              atLeastOneImage,
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.rm(cmd.Context(), args, all)
		},
	}
	cmd.Flags().BoolVar(&all, "all-versions", false, "remove every version of a NAME given without a tag")
	return cmd
}

func atLeastOneImage(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("IMAGE is missing")
	}
	return nil
}

func (a *App) rm(ctx context.Context, refs []string, all bool) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	names, err := chosen(ctx, s, refs, all)
	if err != nil {
		return err
	}
	result := removed{[]string{}}
	for _, n := range names {
		if err := s.RemoveName(ctx, n); err != nil {
			return fmt.Errorf("remove %s: %w", n, err)
		}
		result.Removed = append(result.Removed, n.String())
	}
	return a.Print(result, func(w io.Writer) {
		fmt.Fprintf(w, "removed %s; 'ingot gc' frees the space\n", strings.Join(result.Removed, ", "))
	})
}

// chosen returns the names to remove, once it knows all of them.
func chosen(ctx context.Context, s *store.Store, refs []string, all bool) ([]store.Name, error) {
	var names []store.Name
	seen := map[string]bool{}
	for _, ref := range refs {
		found, err := catalog.Names(ctx, s, ref)
		if err != nil {
			return nil, err
		}
		if found.Bare && !all {
			return nil, usageError{fmt.Errorf("%q has the versions %s; name one, or give --all-versions", ref, spell(found.Names))}
		}
		for _, n := range found.Names {
			if !seen[n.String()] {
				seen[n.String()] = true
				names = append(names, n)
			}
		}
	}
	return names, nil
}

func spell(names []store.Name) string {
	var words []string
	for _, n := range names {
		words = append(words, n.String())
	}
	return strings.Join(words, ", ")
}
