package wim

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// document is the XML of a WIM file: [MS-WIM] has none of it, the Windows ADK
// shows it, and wimlib's xml.c names the elements.
type document struct {
	Images []struct {
		Index       string `xml:"INDEX,attr"`
		Name        string `xml:"NAME"`
		Description string `xml:"DESCRIPTION"`
		Flags       string `xml:"FLAGS"`
		DisplayName string `xml:"DISPLAYNAME"`
		Bytes       string `xml:"TOTALBYTES"`
		Linked      string `xml:"HARDLINKBYTES"`
		Files       string `xml:"FILECOUNT"`
		Dirs        string `xml:"DIRCOUNT"`
		Windows     struct {
			Product string `xml:"PRODUCTNAME"`
			Edition string `xml:"EDITIONID"`
			Version struct {
				Major string `xml:"MAJOR"`
				Minor string `xml:"MINOR"`
				Build string `xml:"BUILD"`
			} `xml:"VERSION"`
		} `xml:"WINDOWS"`
	} `xml:"IMAGE"`
}

// Bounds of what an XML may say, far above what a WIM can hold.
const (
	maxImages = 1 << 16
	maxNumber = 1 << 55
)

// parse reads the XML of a WIM, UTF-16LE with a byte order mark.
func parse(data []byte) ([]Image, error) {
	if len(data) < 2 || data[0] != 0xff || data[1] != 0xfe || len(data)%2 != 0 {
		return nil, errors.New("its XML is not UTF-16")
	}
	units := make([]uint16, len(data)/2-1)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i+2:])
	}
	var d document
	if err := xml.Unmarshal([]byte(string(utf16.Decode(units))), &d); err != nil {
		return nil, fmt.Errorf("its XML cannot be read: %w", err)
	}
	if len(d.Images) > maxImages {
		return nil, fmt.Errorf("its XML has %d images", len(d.Images))
	}
	var images []Image
	for _, x := range d.Images {
		n := numbers{}
		image := Image{
			Index: int(n.parse(x.Index)), Name: x.Name, Description: x.Description, Flags: x.Flags, DisplayName: x.DisplayName,
			Bytes: n.parse(x.Bytes), Linked: n.parse(x.Linked), Files: n.parse(x.Files), Dirs: n.parse(x.Dirs),
			Windows: Windows{Product: x.Windows.Product, Edition: x.Windows.Edition},
		}
		if v := x.Windows.Version; v.Major != "" {
			image.Windows.Version = strings.Join([]string{v.Major, v.Minor, v.Build}, ".")
		}
		if image.Index < 1 || image.Index > maxImages || slices.ContainsFunc(images, func(i Image) bool { return i.Index == image.Index }) {
			n.bad = fmt.Errorf("its XML has an image with number %q", x.Index)
		}
		if n.bad != nil {
			return nil, n.bad
		}
		images = append(images, image)
	}
	if len(images) == 0 {
		return nil, errors.New("it holds no image")
	}
	return images, nil
}

// numbers parses decimal numbers and keeps the first error; a missing one is 0.
type numbers struct{ bad error }

func (n *numbers) parse(s string) int64 {
	if s == "" {
		return 0
	}
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if (err != nil || v < 0 || v > maxNumber) && n.bad == nil {
		n.bad = fmt.Errorf("its XML has %q for a number", s)
	}
	return v
}
