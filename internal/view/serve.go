package view

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// Server shows layers as the files of a folder.
type Server struct {
	dir    string
	server *fuse.Server
	guards []*guard
}

// maxRequest fits into a pipe with its header, which is how answers go to the
// kernel.
const maxRequest = 512 << 10

// Serve mounts a file system with one file for each layer at dir.
func Serve(dir string, layers map[string]*Layer) (*Server, error) {
	root := &folder{layers: layers}
	server, err := fs.Mount(dir, root, &fs.Options{MountOptions: fuse.MountOptions{
		DirectMountStrict: true, AllowOther: true, FsName: "ingot", Name: "ingot",
		MaxWrite: maxRequest, DisableXAttrs: true,
	}})
	if err != nil {
		return nil, fmt.Errorf("show volumes as files in %s (this needs root and /dev/fuse): %w", dir, err)
	}
	s := &Server{dir: dir, server: server}
	err = keepFromChildren()
	for range guards {
		var g *guard
		if err == nil {
			if g, err = newGuard(dir); err == nil {
				s.guards = append(s.guards, g)
			}
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Path is the file that shows a layer.
func (s *Server) Path(name string) string { return filepath.Join(s.dir, name) }

// patience is how long Close waits for those who used a file. A loop device keeps
// its file open until the last user of the device is gone, and that may be a
// program that looks into every new device, or a mkfs that has just ended.
const patience = 15 * time.Second

// Close takes the files away. It waits a while for who still uses one. After an
// error the files are there as before, and Close can be called again.
func (s *Server) Close() error { return s.close(patience) }

func (s *Server) close(patience time.Duration) error {
	began := time.Now()
	err := s.server.Unmount() // which pauses between tries of its own
	for errors.Is(err, unix.EBUSY) && time.Since(began) < patience {
		err = s.server.Unmount()
	}
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("unmount %s: a file of it is still in use after %v: %w", s.dir, patience, err)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", s.dir, err)
	}
	s.server.Wait()
	for _, g := range s.guards {
		g.Close()
	}
	return nil
}

type folder struct {
	fs.Inode
	layers map[string]*Layer
}

var _ fs.NodeOnAdder = (*folder)(nil)

// OnAdd implements fs.NodeOnAdder.
func (f *folder) OnAdd(ctx context.Context) {
	for name, layer := range f.layers {
		f.AddChild(name, f.NewPersistentInode(ctx, &file{layer: layer}, fs.StableAttr{Mode: syscall.S_IFREG}), false)
	}
}

// file is a layer. The kernel caches nothing of it, so that what one user wrote
// the next one reads.
type file struct {
	fs.Inode
	layer *Layer
}

var (
	_ fs.NodeOpener    = (*file)(nil)
	_ fs.NodeReader    = (*file)(nil)
	_ fs.NodeWriter    = (*file)(nil)
	_ fs.NodeGetattrer = (*file)(nil)
	_ fs.NodeSetattrer = (*file)(nil)
	_ fs.NodeAllocater = (*file)(nil)
	_ fs.NodeFsyncer   = (*file)(nil)
)

// Open implements fs.NodeOpener. Nothing is flushed when the file is closed: it would
// have a process that is killed wait for its own answer.
func (f *file) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO | fuse.FOPEN_NOFLUSH, 0
}

// Read implements fs.NodeReader.
func (f *file) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n, err := f.layer.ReadAt(dest, off)
	if n == 0 && err != nil && off < f.layer.Size() {
		return nil, errno(err)
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// Write implements fs.NodeWriter.
func (f *file) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n, err := f.layer.WriteAt(data, off)
	if err != nil {
		return 0, errno(err)
	}
	return uint32(n), 0
}

// Getattr implements fs.NodeGetattrer.
func (f *file) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Blksize = syscall.S_IFREG|0o600, uint64(f.layer.Size()), grid
	out.Blocks = out.Size / 512
	return 0
}

// Setattr implements fs.NodeSetattrer; some tools cut the file when they have
// shrunk what it holds.
func (f *file) Setattr(ctx context.Context, h fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		if err := f.layer.Resize(int64(size)); err != nil {
			return errno(err)
		}
	}
	return f.Getattr(ctx, h, out)
}

// Allocate implements fs.NodeAllocater for holes and zeros.
func (f *file) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	if mode&(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_ZERO_RANGE) == 0 {
		return syscall.EOPNOTSUPP
	}
	if err := f.layer.Zero(int64(off), int64(size)); err != nil {
		return errno(err)
	}
	return 0
}

// Fsync implements fs.NodeFsyncer.
func (f *file) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return 0 }

// errno is what the user of the file is told. A full scratch folder must be told
// apart, since the user can do something about it.
func errno(err error) syscall.Errno {
	var no syscall.Errno
	if errors.As(err, &no) && no == syscall.ENOSPC {
		return no
	}
	return syscall.EIO
}
