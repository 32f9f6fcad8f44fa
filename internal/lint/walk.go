package lint

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// Bounds of what is looked through, whatever an image holds.
const (
	maxMatches = 1000    // names that one pattern finds
	maxEntries = 50_000  // files that are counted below one folder
	maxDepth   = 24      // folders in each other there
	maxSize    = 1 << 45 // bytes that one file counts for, so that sums stay numbers
)

// glob returns the names that fit patterns in which elements may be wildcards, in
// the order of the patterns. What is not a folder has nothing in it.
func (t tree) glob(ctx context.Context, patterns ...string) ([]string, error) {
	var all []string
	for _, pattern := range patterns {
		found := []string{""}
		for _, element := range strings.Split(strings.Trim(pattern, "/"), "/") {
			var next []string
			for _, dir := range found {
				names, err := t.matches(ctx, dir, element)
				if err != nil {
					return nil, err
				}
				if next = append(next, names...); len(next) > maxMatches {
					return nil, fmt.Errorf("more than %d files are called %s", maxMatches, pattern)
				}
			}
			found = next
		}
		all = append(all, found...)
	}
	return all, nil
}

// matches are the names in dir that fit one element of a pattern.
func (t tree) matches(ctx context.Context, dir, element string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !strings.ContainsAny(element, "*?[") {
		if name := dir + "/" + element; t.exists(name) {
			return []string{name}, nil
		}
		return nil, nil
	}
	if info, err := t.Stat(dir + "/"); err != nil || !info.IsDir() {
		return nil, nil
	}
	entries, err := t.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if t.ignoreCase {
			element, name = strings.ToLower(element), strings.ToLower(name)
		}
		if ok, err := path.Match(element, name); err != nil || !ok {
			continue
		}
		if len(names) > maxMatches {
			break
		}
		names = append(names, dir+"/"+e.Name())
	}
	return names, nil
}

// weight is how much lies below a folder.
type weight struct {
	files, bytes int64
	more         bool // it was not counted to the end
}

// weigh counts what lies below a folder, without following links.
func (t tree) weigh(ctx context.Context, name string) (weight, error) {
	at, err := t.Resolve(name, true)
	if absent(err) {
		return weight{}, nil
	}
	var w weight
	if err == nil {
		err = t.addTo(ctx, &w, at, maxDepth)
	}
	return w, err
}

func (t tree) addTo(ctx context.Context, w *weight, dir string, depth int) error {
	e, err := t.Lstat(dir)
	if err != nil || !e.IsDir() {
		return err
	}
	entries, err := t.Tree.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.files++; w.files > maxEntries {
			w.more = true
			return nil
		}
		w.bytes += min(e.Size, maxSize)
		if !e.IsDir() {
			continue
		}
		if depth == 0 {
			w.more = true
			continue
		}
		if err := t.addTo(ctx, w, strings.TrimPrefix(dir+"/"+e.Name, "/"), depth-1); err != nil {
			return err
		}
	}
	return nil
}
