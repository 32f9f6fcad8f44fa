package lint

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// fixture is an image: a system and an ESP, captured file by file, and volumes that
// are no more than what they say of themselves.
type fixture struct {
	linux, windows map[string]string // beside what a bare system has; nil: there is none
	esp            map[string]string
	volumes        []stub
	harm           func(dir string) error // what a map cannot say of the system's files
	edit           func(*image.Manifest)  // the last touch
	live           bool
}

// stub is what a volume says of itself.
type stub struct {
	info   volume.Info
	damage error
	method image.Method
	typ    string // of the partition
}

// Content of a file that is not there, of a folder, and of a link (with its target).
const (
	gone   = "(gone)"
	folder = "(folder)"
	link   = "(link)"
)

// typeData is that of partitions that the table says nothing of.
const typeData = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"

// disk puts the regions of an image together.
type disk struct {
	t        *testing.T
	manifest image.Manifest
	used     []extent.List
	windows  []block.Reader
}

func (d *disk) region(r image.Region, window block.Reader, used extent.List) {
	d.manifest.Regions, d.windows, d.used = append(d.manifest.Regions, r), append(d.windows, window), append(d.used, used)
}

func (d *disk) partition(typ string) int {
	t := d.manifest.Table
	n := len(t.Partitions) + 1
	t.Partitions = append(t.Partitions, part.Partition{Number: n, Start: int64(n) << 24, Length: 1 << 24, Type: typ})
	return n
}

// files adds a volume that was captured file by file.
func (d *disk) files(kind, typ string, tree map[string]string, harm func(dir string) error) {
	d.t.Helper()
	dir := d.t.TempDir()
	write(d.t, dir, tree)
	if harm != nil {
		if err := harm(dir); err != nil {
			d.t.Fatal(err)
		}
	}
	found, err := files.Walk(d.t.Context(), dir, files.WalkOptions{Kind: "ext4", All: true})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { found.Close() })
	v := &image.Volume{Kind: kind, Method: image.FileByFile, Size: 1 << 24, Files: int64(len(found.Listing.Entries))}
	n, listing, contents := d.partition(typ), bytes.NewReader(found.Listing.Encode()), found.Contents()
	d.region(image.Region{Role: image.Listing, Partition: n, Size: listing.Size(), Volume: v}, listing, extent.Of(extent.Extent{Length: listing.Size()}))
	d.region(image.Region{Role: image.Contents, Partition: n, Size: contents.Size(), Volume: v}, contents, found.Used())
}

func write(t *testing.T, dir string, tree map[string]string) {
	t.Helper()
	for name, text := range tree {
		path := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		target, isLink := strings.CutPrefix(text, link)
		switch {
		case err != nil || text == gone:
		case text == folder:
			err = os.MkdirAll(path, 0o755)
		case isLink:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// stubs is the format of volumes whose first byte is their number.
type stubs []stub

func (s stubs) Name() string { return "stubs" }

func (s stubs) Recognise(block.Reader) (bool, error) { return true, nil }

func (s stubs) Open(_ context.Context, r block.Reader) (volume.Volume, error) {
	n := make([]byte, 1)
	if _, err := r.ReadAt(n, 0); err != nil {
		return nil, err
	}
	return s[n[0]], s[n[0]].damage
}

func (s stub) Info() volume.Info { return s.info }

func (s stub) Used(context.Context) (extent.List, error) { return nil, nil }

// job makes the image.
func (f fixture) job(t *testing.T) Job {
	t.Helper()
	d := &disk{t: t, manifest: image.Manifest{Disk: image.Disk{Size: 1 << 30, SectorSize: 512}, Table: &part.Table{Kind: part.GPT, SectorSize: 512, DiskSize: 1 << 30}}}
	if f.linux != nil {
		d.files("ext4", typeData, with(bareLinux(), f.linux), f.harm)
	}
	if f.windows != nil {
		d.files("ntfs", typeData, with(bareWindows(t), f.windows), f.harm)
	}
	if f.esp != nil || f.linux != nil || f.windows != nil {
		d.files("fat32", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", with(bareESP(), f.esp), nil)
	}
	for i, v := range f.volumes {
		n := d.partition(v.typ)
		method := v.method
		if method == "" {
			method = image.UsedBlocks
		}
		window := bytes.NewReader(append([]byte{byte(i)}, make([]byte, 4095)...))
		d.region(image.Region{Partition: n, Size: window.Size(), Volume: &image.Volume{Kind: v.info.Kind, Size: window.Size(), Method: method}}, window, nil)
	}
	if f.edit != nil {
		f.edit(&d.manifest)
	}
	return Job{
		Source: content.NewLive(d.manifest.Regions, d.used, d.windows), Manifest: &d.manifest, Live: f.live,
		Formats: []volume.Format{stubs(f.volumes)}, Scratch: t.TempDir(),
	}
}

func with(bare, more map[string]string) map[string]string {
	for name, text := range more {
		bare[name] = text
	}
	return bare
}

// look looks at the image.
func (f fixture) look(t *testing.T) *Report {
	t.Helper()
	r, err := Look(t.Context(), f.job(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
