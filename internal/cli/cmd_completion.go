package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/store"
)

func (a *App) completionCommand() *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "print what makes a shell complete ingot's commands",
		Long: `Completion prints a script for the named shell. It completes commands, flags, and
the names of the images in the store.`,
		Example: `  ingot completion bash > /etc/bash_completion.d/ingot
  ingot completion zsh > "${fpath[1]}/_ingot"
  ingot completion fish > ~/.config/fish/completions/ingot.fish`,
		Args:      exactArgs(1),
		ValidArgs: shells,
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.stdout, true)
			case "zsh":
				return root.GenZshCompletion(a.stdout)
			case "fish":
				return root.GenFishCompletion(a.stdout, true)
			}
			return noSuchShell(args[0], shells)
		},
	}
}

// completeImage completes the first argument to an image's name.
func (a *App) completeImage(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := a.openStore(cmd.Context(), false)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []cobra.Completion
	err = s.Names(cmd.Context(), func(n store.Name, _ error) error {
		names = append(names, n.Name, n.String())
		return nil
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	slices.Sort(names)
	return slices.Compact(names), cobra.ShellCompDirectiveNoFileComp
}

// completeImageThenFile completes an image's name, then paths.
func (a *App) completeImageThenFile(cmd *cobra.Command, args []string, start string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return a.completeImage(cmd, args, start)
}
