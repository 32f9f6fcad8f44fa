package web

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"

	"github.com/ingot-imaging/ingot/internal/control"
)

// Files beside a profile are changed by putting the whole folder anew: control
// takes folders whole, and checks that the profile still finds all it names.

func addProfileFile(v *visit) error {
	body, err := v.profileBody()
	if err != nil {
		return err
	}
	file, header, err := v.r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) {
		body.Problems = problems{{"file", "choose a file first"}}
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	defer file.Close()
	data, err := io.ReadAll(file) // bounded by maxUpload
	if err != nil {
		return err
	}
	name := path.Join(v.field("folder"), path.Base(header.Filename))
	if !fs.ValidPath(name) || name == "profile.yaml" {
		body.Problems = problems{{"folder", "this is not the name of a folder below the profile"}}
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	return v.changeFiles(body, name, data, "%s was added.")
}

func showFileRemove(v *visit) error {
	name, file := v.r.PathValue("name"), v.field("file")
	return v.removePage("profiles", []link{{"/profiles", "Profiles"}, {profilePath(name), name}}, removeBody{What: "the file " + file, Question: "Remove the file", Name: file, Field: "file",
		Loses: "The file is lost. A profile that names it would have a mistake, so it is refused then.", Path: profilePath(name) + "/files/remove", Back: profilePath(name)})
}

func removeProfileFile(v *visit) error {
	body, err := v.profileBody()
	if err != nil {
		return err
	}
	return v.changeFiles(body, v.field("file"), nil, "%s was removed.")
}

// changeFiles puts a file into a profile's folder, or takes it out when data is nil.
func (v *visit) changeFiles(body profileBody, name string, data []byte, done string) error {
	var before, after bytes.Buffer
	if err := v.ctl.ProfileTar(v.r.Context(), body.Name, &before); err != nil {
		return err
	}
	if err := replaceInTar(&after, &before, name, data); err != nil {
		return err
	}
	err := v.ctl.PutProfileFolder(v.r.Context(), v.actor, body.Name, &after)
	var bad *control.ProfileError
	if errors.As(err, &bad) {
		body.Mistakes, body.Saved = bad.Problems, false
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	if p := formProblems(err); p != nil {
		body.Problems = p
		return v.profilePage(http.StatusUnprocessableEntity, body)
	}
	if err != nil {
		return err
	}
	return v.redirect(profilePath(body.Name), done, name)
}

// replaceInTar copies an archive with one file replaced, added, or (data is nil)
// left out.
func replaceInTar(out io.Writer, in io.Reader, name string, data []byte) error {
	from, to := tar.NewReader(in), tar.NewWriter(out)
	for {
		header, err := from.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if path.Clean(header.Name) == name {
			continue
		}
		if err := to.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(to, from); err != nil {
			return err
		}
	}
	if data != nil {
		if err := to.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		if _, err := to.Write(data); err != nil {
			return err
		}
	}
	return to.Close()
}
