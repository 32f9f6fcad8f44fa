package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/profile"
)

const profileHelp = `A profile says how a deployed disk becomes one machine's own: its name, users,
network, files and first steps. doc/profiles.md explains every key.`

func (a *App) profileCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "profile",
		Short:   "look at what makes an image a machine's own",
		Long:    profileHelp,
		Example: "  ingot profile check lab.yaml\n  ingot profile schema > profile.schema.json",
		Args:    cobra.ArbitraryArgs,

		SuggestionsMinimumDistance: 2, // cobra's own default, which it sets for the root alone
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noSuchCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	c.AddCommand(a.profileCheckCommand(), a.profileSchemaCommand())
	return c
}

// profileCheck is what a profile is checked for.
type profileCheck struct {
	facts  string // file of the machine's facts, "" for none
	os     string
	over   profile.Overrides
	values []string // NAME=VALUE
}

func (a *App) profileCheckCommand() *cobra.Command {
	var o profileCheck
	c := &cobra.Command{
		Use:   "check FILE",
		Short: "find the mistakes in a profile, and say what it means",
		Long: `Check reads a profile and the files that it names, and reports every mistake with
its line and column. For a machine, whose facts are a file of JSON, it prints what
the profile means there; passwords are hidden.

The facts are serial, asset, uuid, macs, maker, model, sku and board.`,
		Example: `  ingot profile check lab.yaml
  echo '{"serial": "5CG1234XYZ", "macs": ["52:54:00:12:34:56"]}' > pc.json
  ingot profile check lab.yaml --machine pc.json --os windows
  ingot profile check lab.yaml --machine pc.json --value room=12 --number 7`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.checkProfile(args[0], &o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.facts, "machine", "", "`file` with the facts of a machine, as JSON")
	f.StringVar(&o.os, "os", "", "`system` of the image, whose rules hold: linux or windows")
	f.StringVar(&o.over.Hostname, "hostname", "", "host `name`, instead of the profile's")
	f.IntVar(&o.over.Counter, "number", 0, "`number` that {n} stands for")
	f.StringArrayVar(&o.values, "value", nil, "`NAME=VALUE` of a placeholder of the profile's values or machines; may be repeated")
	return c
}

// checkedProfile is the result of profile check.
type checkedProfile struct {
	File         string            `json:"file"`
	Placeholders []string          `json:"placeholders"`
	Machines     int               `json:"machines,omitempty"` // in the profile's table
	Profile      *profile.Profile  `json:"profile,omitempty"`
	Machine      *profile.Facts    `json:"machine,omitempty"`
	Settings     *profile.Settings `json:"settings,omitempty"`
	Warnings     []string          `json:"warnings,omitempty"`
}

func (a *App) checkProfile(path string, o *profileCheck) error {
	system, err := o.system()
	if err != nil {
		return err
	}
	doc, err := profile.Load(path)
	if err != nil {
		return err
	}
	result := checkedProfile{File: path, Placeholders: doc.Placeholders(), Machines: doc.Machines()}
	if !o.machine() {
		result.Profile = &doc.Profile
		return a.Answer(result, result.text)
	}
	facts, err := o.read()
	if err != nil {
		return err
	}
	settings, err := doc.Settings(facts, system, o.over)
	if err != nil {
		return err
	}
	result.Machine, result.Settings, result.Warnings = &facts, settings, settings.Warnings
	return a.Answer(result, result.text)
}

// machine reports whether the profile is looked at for one machine.
func (o *profileCheck) machine() bool {
	return o.facts != "" || o.os != "" || o.over.Hostname != "" || o.over.Counter != 0 || o.values != nil
}

func (o *profileCheck) system() (profile.OS, error) {
	switch system := profile.OS(o.os); system {
	case profile.AnyOS, profile.OSLinux, profile.OSWindows:
		return system, nil
	}
	return "", usageError{fmt.Errorf("--os %s is not known: want linux or windows", o.os)}
}

// read reads the machine's facts, and the values from the command line.
func (o *profileCheck) read() (f profile.Facts, err error) {
	if o.over.Counter < 0 {
		return f, usageError{fmt.Errorf("--number %d is negative", o.over.Counter)}
	}
	o.over.Values = map[string]string{}
	for _, v := range o.values {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return f, usageError{fmt.Errorf("--value %s has no =: want NAME=VALUE", v)}
		}
		o.over.Values[name] = value
	}
	if o.facts == "" {
		return f, nil
	}
	return readFacts(o.facts)
}

// readFacts reads facts that somebody may have written by hand.
func readFacts(path string) (f profile.Facts, err error) {
	const most = 1 << 20
	file, err := os.Open(path)
	if err != nil {
		return f, fmt.Errorf("read the machine's facts: %w", err)
	}
	defer file.Close()
	d := json.NewDecoder(io.LimitReader(file, most))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, usageError{fmt.Errorf("%s holds no facts of a machine: %w", path, err)}
	}
	return f, nil
}

func (c checkedProfile) text(w io.Writer) {
	var meaning interface{ YAML() ([]byte, error) } = c.Profile
	fmt.Fprintf(w, "%s has no mistakes.", c.File)
	if c.Machines > 0 {
		fmt.Fprintf(w, " Its table has %d machines.", c.Machines)
	}
	if c.Settings != nil {
		meaning = c.Settings
		fmt.Fprintf(w, " For %v it means:", *c.Machine)
	}
	fmt.Fprint(w, "\n\n")
	if text, err := meaning.YAML(); err == nil { // values that were read just now
		w.Write(text)
	}
	for _, warning := range c.Warnings {
		fmt.Fprintf(w, "\nwarning: %s\n", warning)
	}
}

func (a *App) profileSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of profiles",
		Long: `Schema prints the JSON Schema (2020-12) of profiles, by which editors complete and
check them. 'ingot profile check' knows more.`,
		Example: "  ingot profile schema > profile.schema.json",
		Args:    exactArgs(0),
		RunE: func(*cobra.Command, []string) error {
			schema, err := profile.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}
