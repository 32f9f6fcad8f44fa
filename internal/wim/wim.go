// Package wim has WIM files read and made by wimlib: what Windows and its
// deployment tools keep images in (WIM), compressed harder (ESD), or in parts (SWM).
//
// It owns how wimlib-imagex is called, and the XML in which a WIM says what it
// holds. An image goes to and from a whole NTFS volume in a file or device, which
// keeps security descriptors, named streams, reparse points, short names and
// attributes; one of Linux, with owners and modes, goes to a directory. It knows no
// store and mounts nothing. It refuses WIM files without metadata, such as the
// second part of a split one. Start at List.
package wim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// Image is one image of a WIM file.
type Image struct {
	Index       int // from 1
	Name        string
	Description string
	Flags       string // the edition, for Windows Setup
	DisplayName string

	Bytes   int64 // in files and streams, those of hard links counted once for each name
	Linked  int64 // of these, bytes of hard links beyond the first
	Files   int64
	Dirs    int64
	Windows Windows
}

// Windows is what a WIM says of the Windows in an image; empty where there is none.
type Windows struct {
	Product, Edition, Version string
}

// Title names the image for a person.
func (i Image) Title() string {
	if i.Name == "" {
		return fmt.Sprintf("image %d", i.Index)
	}
	return fmt.Sprintf("image %d, %q", i.Index, i.Name)
}

// maxXML is how much XML is read, bytes; a WIM with hundreds of images has less.
const maxXML = 64 << 20

// List returns the images of a WIM file; of a split one, of its first part.
func List(ctx context.Context, file string) ([]Image, error) {
	out, err := os.CreateTemp("", "ingot-wim-*.xml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	_, err = tool.Command{Name: tool.Wimlib, Args: []string{"info", "--extract-xml=" + out.Name(), "--", path(file)}}.Run(ctx)
	if err != nil {
		return nil, explain(file, err)
	}
	data, err := io.ReadAll(io.LimitReader(out, maxXML))
	if err != nil {
		return nil, err
	}
	images, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return images, nil
}

// ChoiceError says that it is not clear, or wrong, which image of a WIM is meant.
type ChoiceError struct {
	Wanted string // "": none was named
	Have   []Image
}

func (e *ChoiceError) Error() string {
	s := fmt.Sprintf("it has %d images; name one by its number or name", len(e.Have))
	if e.Wanted != "" {
		s = fmt.Sprintf("it has no image %q", e.Wanted)
	}
	for _, i := range e.Have {
		s += "\n" + i.Title()
		if i.Description != "" && i.Description != i.Name {
			s += ": " + strconv.Quote(i.Description)
		}
	}
	return s
}

// Choose returns the image with a number or a name; the only one for "". The error
// is a *ChoiceError.
func Choose(images []Image, wanted string) (Image, error) {
	if wanted == "" && len(images) == 1 {
		return images[0], nil
	}
	for _, i := range images {
		if wanted != "" && (wanted == strconv.Itoa(i.Index) || wanted == i.Name) {
			return i, nil
		}
	}
	return Image{}, &ChoiceError{wanted, images}
}

// path is a file as an argument that is not taken for an option.
func path(file string) string {
	if strings.HasPrefix(file, "-") {
		return "./" + file
	}
	return file
}

// Exit codes of wimlib-imagex are those of wimlib, enum wimlib_error_code.
const (
	codeEncrypted  = 74 // WIMLIB_ERR_WIM_IS_ENCRYPTED
	codeIncomplete = 84 // WIMLIB_ERR_WIM_IS_INCOMPLETE
	codeNotWIM     = 43 // WIMLIB_ERR_NOT_A_WIM_FILE
	codeShort      = 65 // WIMLIB_ERR_UNEXPECTED_END_OF_FILE
	codeNoMetadata = 36 // WIMLIB_ERR_METADATA_NOT_FOUND
	codeNoResource = 55 // WIMLIB_ERR_RESOURCE_NOT_FOUND
)

// explain says what to do about those failures of wimlib that users meet.
func explain(file string, err error) error {
	var failed *tool.FailedError
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code {
	case codeNotWIM:
		return fmt.Errorf("%s is no WIM file", file)
	case codeShort:
		return fmt.Errorf("%s is no WIM file, or its end is missing", file)
	case codeEncrypted:
		return fmt.Errorf("%s is encrypted, as downloads of Windows Update are; convert it with the tools of Windows first", file)
	case codeNoMetadata:
		return fmt.Errorf("%s holds no images by itself: it is a later part of a split WIM; name the first part, and the others with --ref", file)
	case codeNoResource, codeIncomplete:
		return fmt.Errorf("%s needs data that is in other files; name them with --ref", file)
	}
	return fmt.Errorf("%s: %w", file, err)
}
