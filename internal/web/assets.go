package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed static
var staticFiles embed.FS

// assets are the files that pages refer to, by name. Their URLs carry a hash, so
// that browsers keep them until they change.
type assets map[string]asset

type asset struct {
	data []byte
	hash string
}

// loadAssets reads what is embedded, which cannot fail.
func loadAssets() assets {
	all := assets{}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		panic(err) // the program was built without its files
	}
	for _, e := range entries {
		data, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		all[e.Name()] = asset{data, hex.EncodeToString(sum[:8])}
	}
	return all
}

// url is where a browser finds a file.
func (a assets) url(name string) string { return "/static/" + name + "?v=" + a[name].hash }

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	file, ok := a[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mediaType(name))
	h.Set("ETag", `"`+file.hash+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.FormValue("v") == file.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.data))
}

// mediaType does not ask the host, whose table may say anything.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
