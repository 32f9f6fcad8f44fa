package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

//go:embed templates
var templateFiles embed.FS

// views are the templates: one set for each page, which shares layout and partials
// with the others, so that pages may give their parts the same names.
type views map[string]*template.Template

// loadViews parses what is embedded. Mistakes in it are found by every test.
func loadViews() views {
	base := template.New("").Funcs(template.FuncMap{
		"size": size, "rate": rate, "counted": counted, "sentence": sentence, "join": strings.Join, "asset": loadAssets().url,
		"dict": dict,
	})
	base = template.Must(base.ParseFS(templateFiles, "templates/layout.html", "templates/parts/*.html"))
	all := views{}
	files, err := fs.Glob(templateFiles, "templates/pages/*.html")
	if err != nil {
		panic(err) // the pattern above is wrong
	}
	for _, file := range files {
		set := template.Must(base.Clone())
		name := strings.TrimSuffix(path.Base(file), ".html")
		all[name] = template.Must(set.ParseFS(templateFiles, file))
	}
	return all
}

// dict gives a part more than one value: names and values in turn.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok {
			m[name] = pairs[i+1]
		}
	}
	return m
}

// page is what the layout shows around a Body.
type page struct {
	Title string // the heading, and the browser's
	Nav   string // which entry of the menu this is
	Live  string // path of the events that change it; "": none
	Wide  bool   // uses the whole width
	Up    []link // the pages above it
	Body  any

	// The rest is filled in by render.
	Site, Version string
	User          string
	Role          fleet.Role
	CSRF          string
	Notice        string
	Zone          string // that times are in
}

type link struct{ Path, Text string }

// Operator and Admin say which actions a page offers.
func (p page) Operator() bool { return p.Role.May(fleet.Operator) }
func (p page) Admin() bool    { return p.Role.May(fleet.Admin) }

// render answers with a page.
func (v *visit) render(status int, name string, p page) error {
	p.Site, p.Version, p.CSRF = v.cfg.Title, v.cfg.Version, v.csrf
	p.User, p.Role = v.actor.Name, v.actor.Role
	p.Notice, p.Zone = v.notice(), v.now.Format("MST")
	html, err := v.views.html(name, "layout", p)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(html) // who is gone reads no answer
	return nil
}

// html executes one template of a page.
func (all views) html(name, part string, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := all[name].ExecuteTemplate(&b, part, data); err != nil {
		return nil, err
	}
	return []byte(inert(b.String())), nil
}
