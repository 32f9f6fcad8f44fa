package netboot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
	"github.com/ingot-imaging/ingot/internal/netboot/tftp"
)

// files are what PCs fetch, by TFTP and HTTP alike: the folder of the boot
// environment, and what is made for the one who asks.
type files struct {
	server *Server
	builds *builds
}

// Open returns a file for the PC at peer; name is one that tftp.CleanName made.
func (f *files) Open(ctx context.Context, name string, peer netip.Addr) (tftp.File, error) {
	s := f.server
	if p, mac, ok := loader.ParseSecond(name); ok {
		text, _, err := s.script(ctx, p, s.known.at(mac, peer, time.Now()))
		return made(text), err
	}
	switch name {
	case loader.Enrol:
		cpio, ok := s.boots.secret(peer, time.Now())
		if !ok {
			return nil, fmt.Errorf("open %s: %s was not told to start the agent, or took it too often: %w", name, peer, fs.ErrNotExist)
		}
		return made(cpio), nil
	case loader.GRUB.First():
		text, err := loader.First(loader.GRUB, s.boot(Machine{}, ""))
		return made(text), err
	case loader.IPXE.First():
		text, err := loader.First(loader.IPXE, s.boot(Machine{}, ""))
		return made(text), err
	case loader.HTTPImage:
		return f.image(peer)
	}
	return f.stored(name, peer)
}

// maxImage bounds the image of UEFI HTTP boot, which holds two loaders.
const maxImage = 64 << 20

// image is the image of UEFI HTTP boot, with this server's address in it.
func (f *files) image(peer netip.Addr) (tftp.File, error) {
	file, err := f.stored(loader.HTTPImage, peer)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > maxImage {
		return nil, fmt.Errorf("open %s: it has %d bytes, more than %d", loader.HTTPImage, file.Size(), maxImage)
	}
	b := make([]byte, file.Size())
	if _, err := file.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", loader.HTTPImage, err)
	}
	return made(b), loader.Address(b, f.server.config.Addr)
}

// stored opens a file of the boot environment. Loaders get along with any kernel; the
// kernel and its initrd are of the build that was the newest when the PC was told to
// start them.
func (f *files) stored(name string, peer netip.Addr) (tftp.File, error) {
	var begun *build
	if name == loader.Kernel || name == loader.Initrd {
		begun = f.server.boots.build(peer, time.Now())
	}
	file, err := f.builds.find(name, begun)
	if err != nil {
		return nil, err
	}
	return file, nil
}

func (f *files) has(name string) bool { return f.builds.current().files[name] != nil }

// made is a content that was made for one request.
func made(b []byte) tftp.File { return text{bytes.NewReader(b)} }

type text struct{ *bytes.Reader }

func (t text) Close() error { return nil }
func (t text) Size() int64  { return t.Reader.Size() }

// isQuiet reports whether a name is one of those that loaders try and do without:
// GRUB's lists of modules, fonts and translations, shim's lists of revocations.
func isQuiet(name string) bool {
	return strings.HasPrefix(name, "grub/x86_64-efi/") || strings.HasPrefix(name, "grub/arm64-efi/") || strings.HasPrefix(name, "grub/locale/") ||
		strings.HasPrefix(name, "grub/fonts/") || strings.HasPrefix(name, "revocations") || strings.HasPrefix(name, "shim_certificate") ||
		name == "favicon.ico"
}

// notFound reports whether err says that there is no such file, or none for this PC.
func notFound(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
