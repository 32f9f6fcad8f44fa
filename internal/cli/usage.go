package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a wrong word on the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usage says how a command line should look.
func usage(cmd *cobra.Command) []string {
	if !cmd.HasParent() {
		return []string{"See 'ingot --help'."}
	}
	return []string{"Usage: " + cmd.UseLine(), fmt.Sprintf("See '%s --help'.", cmd.CommandPath())}
}

// exactArgs wants n arguments, as the command's usage line names them.
func exactArgs(n int) cobra.PositionalArgs { return betweenArgs(n, n) }

// betweenArgs wants least to most arguments.
func betweenArgs(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > most:
			return fmt.Errorf("%q is one argument too many", args[most])
		case len(args) < least:
			return fmt.Errorf("%s is missing", strings.Fields(cmd.Use)[1+len(args)])
		}
		return nil
	}
}

// noSuchCommand names the commands that were perhaps meant.
func noSuchCommand(root *cobra.Command, word string) error {
	why := fmt.Sprintf("there is no command %q", word)
	if like := root.SuggestionsFor(word); len(like) > 0 {
		why += "; did you mean " + strings.Join(like, " or ") + "?"
	}
	return usageError{errors.New(why)}
}

func noSuchShell(word string, shells []string) error {
	return usageError{fmt.Errorf("there is no completion for %q, only for %s", word, strings.Join(shells, ", "))}
}

// helpCommand takes the place of cobra's, which ends with 0 when there is no such
// command.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "how a command is used",
		Example: "  ingot help capture",
		GroupID: groupProgram,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return noSuchCommand(cmd.Root(), args[0])
			}
			return about.Help()
		},
	}
}
