package main

import "github.com/spf13/cobra"

const rootHelp = `ingot makes images of computers' disks and puts them on other disks.

  ingot disks                          what is here
  ingot capture /dev/sda lab-pc        disk  -> image lab-pc:v1
  ingot deploy lab-pc /dev/sdb         image -> disk
  ingot compare lab-pc /dev/sdb        is it the same?

Exit codes: 0 done and verified, 1 failed, 2 usage, 3 refused for safety,
4 integrity failure, 5 not found, 6 done with unreadable sectors recorded,
130 interrupted.`

// root builds the command tree.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "ingot",
		Short:         "image, deploy, verify and clone disks",
		Long:          rootHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	f := root.PersistentFlags()
	f.StringVar(&a.storeURL, "store", "", "`folder` of the store (INGOT_STORE; default /var/lib/ingot/store for root)")
	f.BoolVar(&a.json, "json", false, "print the result as JSON")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "print errors only")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "say more")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		a.captureCommand(),
		a.deployCommand(),
		a.cloneCommand(),
		a.verifyCommand(),
		a.compareCommand(),
		a.imagesCommand(),
	)
	return root
}
