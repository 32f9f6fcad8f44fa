package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/trust"
)

// room is what both servers serve and every agent fetches.
type room struct {
	store, tls  string // folders
	fingerprint trust.Fingerprint
	image       chunk.ID
	manifest    *image.Manifest
	packs       []store.Object
	bytes       int64 // of the packs
}

// prepare captures a disk that packs to about so many bytes, at two to one as systems do.
func prepare(ctx context.Context, folder string, packed int) (*room, error) {
	r := &room{store: filepath.Join(folder, "store"), tls: filepath.Join(folder, "tls")}
	if err := r.makeImage(ctx, packed); err != nil {
		return nil, err
	}
	authority, err := trust.OpenAuthority(r.tls, time.Now())
	if err != nil {
		return nil, err
	}
	r.fingerprint = authority.Fingerprint()
	cert, err := authority.Issue([]string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}, time.Now())
	if err != nil {
		return nil, err
	}
	return r, saveCertificate(r.tls, cert)
}

func (r *room) makeImage(ctx context.Context, packed int) error {
	b, err := local.Open(r.store)
	if err != nil {
		return err
	}
	s, err := store.OpenOrCreate(ctx, b)
	if err != nil {
		return err
	}
	id, err := capturetest.Capture(ctx, s, "room:v1", disk(2*packed))
	if err != nil {
		return err
	}
	r.image = id
	if r.manifest, err = catalog.Manifest(ctx, s, id); err != nil {
		return err
	}
	err = b.List(ctx, "packs/", func(o store.Object) error {
		r.packs, r.bytes = append(r.packs, o), r.bytes+o.Size
		return nil
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(r.store, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// disk is half noise and half words: its packs are about half as large.
func disk(size int) *blocktest.Memory {
	const step = 256 << 10
	d := blocktest.NewMemory(int64(size), 512)
	noise := rand.NewChaCha8([32]byte{1})
	rnd := rand.New(noise)
	block := make([]byte, step)
	for at := 0; at < size; at += step {
		noise.Read(block)
		for i := 0; i < step/2; i += 16 {
			copy(block[i:], fmt.Sprintf("%-16x", rnd.Uint32()>>16))
		}
		if _, err := d.WriteAt(block[:min(step, size-at)], int64(at)); err != nil {
			panic(err) // it is memory
		}
	}
	return d
}
