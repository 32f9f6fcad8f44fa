package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func (r *remote) profilesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "profiles",
		Short: "the profiles of a server",
		Long: `Profiles are kept on a server by name, each with the files that it names. What is in
them is explained in doc/profiles.md; 'ingot profile check' checks one that lies here.`,
		Example: "  ingot profiles list\n  ingot profiles put lab lab/\n  ingot profiles show lab",
	}
	return cli.Family(c, r.profilesListCommand(), r.profilesShowCommand(), r.profilesPutCommand(), r.profilesRemoveCommand(), r.profilesCheckCommand())
}

func (r *remote) profilesListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "list profiles", Example: "  ingot profiles list", Args: cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			list, err := c.Profiles(ctx)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, p := range list {
					state := "good"
					if len(p.Problems) > 0 {
						state = fmt.Sprintf("%d mistakes", len(p.Problems))
					}
					rows = append(rows, []string{p.Name, moment(p.Modified), state, strings.Join(p.Placeholders, ", ")})
				}
				table(w, []string{"NAME", "CHANGED", "STATE", "PLACEHOLDERS"}, rows)
			})
		}),
	}
}

func (r *remote) profilesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "the text of a profile, and what is wrong with it", Example: "  ingot profiles show lab > profile.yaml", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			p, err := c.Profile(ctx, args[0])
			if err != nil {
				return err
			}
			for _, f := range p.Files {
				r.app.Note("beside it: %s, %d bytes", printable(f.Name), f.Size)
			}
			for _, m := range p.Problems {
				r.app.Note("%s", printable(m.String()))
			}
			return r.app.Answer(p, func(w io.Writer) { io.WriteString(w, p.YAML) })
		}),
	}
}

func (r *remote) profilesPutCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "put NAME FILE|FOLDER",
		Short: "make a profile, or replace it",
		Long: `Put sends a profile to the server. A FILE (- for standard input) replaces the text
alone; a FOLDER with profile.yaml replaces the profile with all its files. One with
mistakes is not taken, and what was there before stays.`,
		Example: "  ingot profiles put lab lab.yaml\n  ingot profiles put lab lab/",
		Args:    cli.Args(2, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := r.putProfile(ctx, c, args[0], args[1]); err != nil {
				return err
			}
			return r.done(args[:1], "profile %s is on the server", args[0])
		}),
	}
}

func (r *remote) putProfile(ctx context.Context, c *apiclient.Client, name, path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return c.PutProfileFolder(ctx, name, packed(path))
	}
	f, err := r.open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.PutProfile(ctx, name, f)
}

// packed is a folder as a tar that is made while it is read.
func packed(dir string) io.ReadCloser {
	in, out := io.Pipe()
	go func() {
		t := tar.NewWriter(out)
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			return pack(t, path, filepath.ToSlash(name))
		})
		out.CloseWithError(errors.Join(err, t.Close()))
	}()
	return in
}

// pack adds one file. Links are refused: a server would take them for what they point
// at here.
func pack(t *tar.Writer, path, name string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return cli.Refuse("%s is no file; a profile's folder holds files and folders alone", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()})
	if err != nil {
		return err
	}
	_, err = io.CopyN(t, f, info.Size())
	return err
}

func (r *remote) profilesRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME", Short: "remove a profile with its files", Example: "  ingot profiles rm lab", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.RemoveProfile(ctx, args[0]); err != nil {
				return err
			}
			return r.done(args, "removed profile %s", args[0])
		}),
	}
}

func (r *remote) profilesCheckCommand() *cobra.Command {
	var name string
	c := &cobra.Command{
		Use:     "check FILE",
		Short:   "let the server find the mistakes in a profile",
		Long:    "Check says what is wrong with a profile, without keeping it. With --as, the files that\nit names are those of a profile on the server.",
		Example: "  ingot profiles check lab.yaml --as lab",
		Args:    cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			f, err := r.open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			problems, err := c.CheckProfile(ctx, name, f)
			if err != nil {
				return err
			}
			err = r.app.Answer(problems, func(w io.Writer) {
				for _, p := range problems {
					fmt.Fprintln(w, printable(p.String()))
				}
				if len(problems) == 0 {
					fmt.Fprintf(w, "%s has no mistakes\n", args[0])
				}
			})
			if err == nil && len(problems) > 0 {
				err = &cli.CodedError{Err: fmt.Errorf("%s has %d mistakes", args[0], len(problems)), Code: wire.ExitUsage}
			}
			return err
		}),
	}
	c.Flags().StringVar(&name, "as", "", "`NAME` of a profile whose other files it may name")
	return c
}
