package cli

import "github.com/spf13/cobra"

const rootHelp = `ingot makes images of computers' disks and puts them on other disks.

  ingot disks                          what is here
  ingot capture /dev/sda lab-pc        disk  -> image lab-pc:v1
  ingot deploy lab-pc /dev/sdb         image -> disk
  ingot compare lab-pc /dev/sdb        is it the same?

IMAGE is name:tag, a name (its newest version) or the first digits of an ID.

Exit codes: 0 done and verified, 1 failed, 2 usage, 3 refused for safety,
4 integrity failure, 5 not found, 6 done with unreadable sectors recorded,
130 interrupted.`

// root builds the command tree.
func (a *App) root(p Program) *cobra.Command {
	root := &cobra.Command{
		Use:           "ingot",
		Short:         "image, deploy, verify and clone disks",
		Long:          rootHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noSuchCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.storeURL, "store", "", "`folder` of the store, or https://SERVER (INGOT_STORE; default /var/lib/ingot/store for root)")
	f.BoolVar(&a.json, "json", false, "print the result, or the error, as one JSON document")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print errors only")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say what is going to be done, step by step")
	f.StringVar(&a.progress, "progress", "auto", "how progress is shown: `auto|json`, json for programs: one JSON document a line")
	root.CompletionOptions.DisableDefaultCmd = true
	a.addCommands(root, p)
	if p.Adjust != nil {
		p.Adjust(a, root)
	}
	root.SetHelpCommand(helpCommand())
	a.markRunning(root)
	return root
}

// groupProgram is the group of the commands that do nothing to disks or images.
const groupProgram = "This program:"

// addCommands adds the commands, in the groups in which the help lists them.
func (a *App) addCommands(root *cobra.Command, p Program) {
	groups := []Group{
		{"Disks and this machine:", []*cobra.Command{
			a.disksCommand(), a.inspectCommand(), a.machineCommand(),
		}},
		{"Between disks and the store:", []*cobra.Command{
			a.captureCommand(), a.deployCommand(), a.cloneCommand(), a.compareCommand(), a.wipeCommand(),
		}},
		{"Files inside images:", []*cobra.Command{
			a.lsCommand(), a.catCommand(), a.extractCommand(), a.diffCommand(), a.importCommand(), a.exportCommand(), a.lintCommand(),
		}},
		{"Images and the store:", []*cobra.Command{
			a.imagesCommand(), a.showCommand(), a.verifyCommand(), a.tagCommand(), a.rmCommand(), a.copyCommand(),
			a.checkCommand(), a.statsCommand(), a.gcCommand(),
		}},
		{"Profiles:", []*cobra.Command{
			a.profileCommand(),
		}},
	}
	if p.More != nil {
		groups = append(groups, p.More(a)...)
	}
	groups = append(groups, Group{groupProgram, []*cobra.Command{
		a.versionCommand(), a.completionCommand(), a.manCommand(),
	}})
	for _, group := range groups {
		root.AddGroup(&cobra.Group{ID: group.Title, Title: group.Title})
		for _, c := range group.Commands {
			c.GroupID = group.Title
		}
		root.AddCommand(group.Commands...)
	}
}
