// Package ingot_test holds the rules that the whole tree keeps: which package may
// import which, and what no file may contain. Each rule carries its reason.
//
// It looks at sources only, so it needs nothing but the tree. To add a package or
// an edge, read doc/architecture.md first; to lift a rule, change it here, with
// the reason, where a reviewer sees it.
package ingot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ingot-imaging/ingot/"

// An edge is an import that must not exist.
type edge struct {
	from, to string
	except   []string // patterns, from which the rule does not hold
	reason   string
}

// edges are imports that must not exist. Patterns name packages below the module,
// or others by their whole path; "x/..." is x and everything below it. Imports
// of tests are free, but for those of cmd.
var edges = []edge{
	{from: "...", to: "cmd/...", reason: "cmd is wiring: what another package needs belongs below it"},
	{from: "internal/...", to: "internal/cli", reason: "a command line calls the engine, never the other way round"},
	{from: "internal/...", to: "internal/report", except: []string{"internal/cli"}, reason: "the engine counts in progress; how that looks is the program's choice"},
	{from: "internal/...", to: "github.com/spf13/cobra", except: []string{"internal/cli"}, reason: "only the command line knows flags"},

	{from: "internal/extent", to: "internal/...", reason: "extents are plain values that everything rests on"},
	{from: "internal/chunk", to: "internal/...", reason: "what a chunk is depends on its bytes alone"},
	{from: "internal/progress", to: "internal/...", reason: "counters know nothing of what they count"},
	{from: "internal/pack", to: "internal/store/...", reason: "the pack format does no I/O"},
	{from: "internal/image", to: "internal/store/...", reason: "manifests and maps are values without I/O"},
	{from: "internal/image", to: "internal/block/...", reason: "manifests and maps are values without I/O"},

	{from: "internal/fit", to: "internal/store/...", reason: "fitting is arithmetic, so that every layout can be tested"},
	{from: "internal/fit", to: "internal/block/host", reason: "fitting is arithmetic, so that every layout can be tested"},
	{from: "internal/fit", to: "internal/deploy", reason: "fitting is arithmetic, so that every layout can be tested"},

	{from: "internal/block/...", to: "internal/part/...", reason: "a device does not know what lies on it"},
	{from: "internal/block/...", to: "internal/volume/...", reason: "a device does not know what lies on it"},
	{from: "internal/part/...", to: "internal/volume/...", reason: "a table does not know what its partitions hold"},
	{from: "internal/volume/...", to: "internal/part/...", reason: "a volume may lie on a bare disk: it does not know its partition"},
	{from: "internal/volume/...", to: "internal/store/...", reason: "a parser turns bytes into a used map and nothing else"},
	{from: "internal/volume/...", to: "internal/image", reason: "a parser turns bytes into a used map and nothing else"},
	{from: "internal/volume/...", to: "internal/block/host", reason: "parsers take any bytes, so that they can be fuzzed without a device"},
	{from: "internal/part/...", to: "internal/block/host", reason: "codecs take any bytes, so that they can be fuzzed without a device"},
	{from: "internal/survey", to: "internal/volume/all", reason: "the program chooses the formats"},
	{from: "internal/capture", to: "internal/volume/all", reason: "the program chooses the formats"},

	{from: "internal/store", to: "internal/image", reason: "maps and manifests are bytes to a store, so that it can keep other things"},
	{from: "internal/store", to: "internal/block/...", reason: "a store does not know disks"},
	{from: "internal/store", to: "internal/store/...", reason: "a store does not know its backends"},
	{from: "internal/store/...", to: "internal/image", reason: "backends know objects, nothing else"},
	{from: "internal/store/...", to: "internal/pack", except: []string{"internal/store"}, reason: "backends know objects, nothing else"},

	{from: "internal/...", to: "internal/block/host", except: []string{"internal/cli"}, reason: "only the program opens real disks, so that every verb runs on memory in a test"},
	{from: "internal/...", to: "internal/store/local", except: []string{"internal/room", "internal/store/local/crashfs", "internal/cli"}, reason: "only the program chooses the backend; a room in a test looks into its server's"},
	{from: "internal/...", to: "internal/store/mem", reason: "only the program, and tests, choose the backend"},
	{from: "internal/capture", to: "internal/deploy", reason: "the verbs do not know each other"},
	{from: "internal/deploy", to: "internal/capture", reason: "the verbs do not know each other"},
	{from: "internal/verify", to: "internal/capture", reason: "a proof must not rest on what it proves"},
	{from: "internal/verify", to: "internal/deploy", reason: "a proof must not rest on what it proves"},
	{from: "internal/gc", to: "internal/block/...", reason: "a clean-up knows stores, not disks"},
	{from: "internal/replicate", to: "internal/block/...", reason: "a copy moves whole objects and knows no disk"},
	{from: "internal/deploy", to: "internal/store/...", reason: "a deploy takes content from anywhere: a store, another disk"},
	{from: "internal/deploy", to: "internal/adapt", reason: "a deploy writes content, whatever was done to it before"},
	{from: "internal/adapt", to: "internal/deploy", reason: "what is prepared does not know how it is written"},
	{from: "internal/customise/...", to: "internal/mount", reason: "who edits a system is given it as a tree, and does not care where it lies"},
	{from: "internal/customise/...", to: "internal/tool", reason: "what the system's own programs must do is returned, and run by adapt"},
	{from: "internal/rootfs", to: "internal/...", reason: "the promise that no name leads out rests on nothing else"},
	{from: "internal/profile", to: "internal/...", reason: "a profile is a value; what it is applied to does not matter to it"},
	{from: "internal/content", to: "internal/deploy", reason: "content is read by deploy and verify, and writes nothing"},
	{from: "internal/content", to: "internal/capture", reason: "content is read by deploy and verify, and writes nothing"},

	{from: "internal/agent/...", to: "internal/fleet", reason: "an agent knows its machine and its job, not what a server knows"},
	{from: "internal/agent/...", to: "internal/control", reason: "an agent is small: it links no server and no database"},
	{from: "internal/agent/...", to: "internal/db/...", reason: "an agent is small: it links no server and no database"},
	{from: "internal/agent/...", to: "internal/server/...", reason: "an agent is small: it links no server and no database"},
	{from: "internal/agent/...", to: "internal/web/...", reason: "an agent is small: it links no server and no database"},
	{from: "internal/agent/...", to: "internal/api/...", reason: "an agent is small: it links no server and no database"},
	{from: "internal/agent/...", to: "internal/deploy", reason: "a job is a run of the program, so that it takes nothing with it when it crashes"},
	{from: "internal/agent/...", to: "internal/capture", reason: "a job is a run of the program, so that it takes nothing with it when it crashes"},
	{from: "internal/agent", to: "internal/agent/start", reason: "the agent does not know how its machine came up, so that it runs in a test"},

	{from: "internal/wire", to: "os", reason: "the protocol is values alone, which both sides have"},
	{from: "internal/wire", to: "net/http", reason: "the protocol is values alone, which both sides have"},
	{from: "internal/wire", to: "database/sql/...", reason: "the protocol is values alone, which both sides have"},
	{from: "internal/wire", to: "internal/store/...", reason: "the protocol is values alone, which both sides have"},
	{from: "internal/fleet", to: "os", reason: "what a server knows is values and rules, which are tested without one"},
	{from: "internal/fleet", to: "net/http", reason: "what a server knows is values and rules, which are tested without one"},
	{from: "internal/fleet", to: "database/sql/...", reason: "what a server knows is values and rules, which are tested without one"},
	{from: "internal/fleet", to: "internal/store/...", reason: "what a server knows is values and rules, which are tested without one"},
	{from: "...", to: "database/sql/...", except: []string{"internal/db"}, reason: "all SQL is in one package, which is tested on both databases"},

	{from: "...", to: "golang.org/x/sys/unix", except: []string{"internal/block/host", "internal/store/local", "internal/block/loop", "internal/rootfs", "internal/files", "internal/mount", "internal/view", "internal/netboot/dhcp", "internal/netboot/tftp", "internal/agent/start"},
		reason: "kernel calls have few homes: the host's disks, the store's folder, mounts and the files below them, sockets of one interface; process 1 makes a machine of a kernel"},
	{from: "...", to: "unsafe", except: []string{"internal/block", "internal/block/host"},
		reason: "it is needed for the alignment of buffers and for ioctls, and nowhere else"},
	{from: "...", to: "C", reason: "ingot is one static file that is built without a C compiler"},
	{from: "internal/...", to: "os/exec", except: []string{"internal/lab", "internal/room", "internal/tool", "internal/volume/volumetest", "internal/boottest", "internal/agent", "internal/db/dbtest"},
		reason: "package tool runs programs, and says which package has one that is missing; tests are judged by them; the agent runs this program itself, on terminals and with secrets in its environment"},
	{from: "cmd/...", to: "os/exec", reason: "package tool runs programs"},
	{from: "internal/...", to: "net/...", except: []string{"internal/lab", "internal/room", "internal/profile", "internal/customise/linux/network", "internal/netboot/...", "internal/trust", "internal/agent/...", "internal/server/...", "internal/control", "internal/web/...", "internal/api/...", "internal/apiclient", "internal/db/...", "internal/store/remote", "internal/store/serve", "internal/fleet"}, reason: "the engine works without a network; profiles hold addresses (net/netip)"},
}

// allows reports whether the rule does not hold for pkg.
func (e edge) allows(pkg string) bool {
	return slices.ContainsFunc(e.except, func(pattern string) bool { return matches(pattern, pkg) })
}

// A file is a parsed Go source of the tree.
type file struct {
	name    string // relative to the root
	pkg     string // folder, relative to the root; "." for the root
	test    bool
	imports []string
	ast     *ast.File
	lines   int
}

func TestImports(t *testing.T) {
	used := map[int]bool{}
	for _, f := range sources(t) {
		for _, imported := range f.imports {
			for i, e := range edges {
				if !matches(e.from, f.pkg) || !matches(e.to, strings.TrimPrefix(imported, module)) {
					continue
				}
				if module+f.pkg == imported || e.allows(f.pkg) || f.test && !strings.HasPrefix(e.to, "cmd") {
					used[i] = used[i] || e.allows(f.pkg)
					continue
				}
				t.Errorf("%s imports %s: %s", f.name, imported, e.reason)
			}
		}
	}
	for i, e := range edges {
		if len(e.except) > 0 && !used[i] {
			t.Errorf("no exception of the rule %s -> %s is needed any more", e.from, e.to)
		}
	}
}

// matches reports whether pattern, a path or a path with /..., covers p.
func matches(pattern, p string) bool {
	if pattern == "..." {
		return true
	}
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return p == base || strings.HasPrefix(p, base+"/")
	}
	return p == pattern
}

// Words that say nothing about what a package owns.
var emptyNames = regexp.MustCompile(`^(util|utils|common|helper|helpers|types|misc|base|core|manager|lib|shared)$`)

func TestPackages(t *testing.T) {
	comments := map[string][]string{}
	for _, f := range sources(t) {
		if emptyNames.MatchString(path.Base(f.pkg)) {
			t.Errorf("%s: the package's name does not say what it owns", f.name)
		}
		if _, ok := comments[f.pkg]; !ok {
			comments[f.pkg] = nil
		}
		if f.ast.Doc == nil || f.test && f.pkg != "." {
			continue
		}
		comments[f.pkg] = append(comments[f.pkg], f.name)
		want := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			want = "Command " + path.Base(f.pkg) + " "
		}
		if !strings.HasPrefix(f.ast.Doc.Text(), want) {
			t.Errorf("%s: its comment does not begin with %q", f.name, want)
		}
	}
	for pkg, names := range comments {
		if len(names) != 1 {
			t.Errorf("package %s has %d package comments, in %v; want one", pkg, len(names), names)
		}
	}
}

// TestArchitecturePage checks that the page that a newcomer reads first knows
// every package.
func TestArchitecturePage(t *testing.T) {
	page := read(t, "doc/architecture.md")
	known := map[string]bool{".": true}
	for _, f := range sources(t) {
		name := strings.TrimPrefix(f.pkg, "internal/")
		if !known[f.pkg] && !strings.Contains(page, "`"+name+"`") && !strings.Contains(page, "`internal/"+name+"`") {
			t.Errorf("doc/architecture.md does not say what %s owns", f.pkg)
		}
		known[f.pkg] = true
	}
}

// maxLines is a bound, not a goal: most files have 80 to 150 lines.
const maxLines = 400

func TestFiles(t *testing.T) {
	for _, f := range sources(t) {
		if f.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: it holds more than one idea", f.name, f.lines, maxLines)
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: what exists is listed where it is used", f.name)
			}
		}
	}
}

// TestModule checks that what is built is what go.mod names, and that each direct
// dependency has its reason in doc/dependencies.md.
func TestModule(t *testing.T) {
	reasons := read(t, "doc/dependencies.md")
	requirement := regexp.MustCompile(`^\s*(?:require )?(\S+\.\S+/\S+) v\S+$`)
	for line := range strings.Lines(read(t, "go.mod")) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "replace") {
			t.Errorf("go.mod: %q: 'go install' would build another program", line)
		}
		m := requirement.FindStringSubmatch(line)
		if m != nil && !strings.Contains(reasons, "| "+m[1]+" |") {
			t.Errorf("doc/dependencies.md says nothing about %s", m[1])
		}
	}
}

// sources parses every Go file of the tree.
func sources(t *testing.T) []file {
	t.Helper()
	var files []file
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "work" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		files = append(files, parse(t, filepath.ToSlash(name)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("found %d Go files; the test does not run at the root of the tree", len(files))
	}
	return files
}

func parse(t *testing.T, name string) file {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	f := file{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), ast: parsed}
	f.lines = set.File(parsed.Package).LineCount()
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		f.imports = append(f.imports, imported)
	}
	return f
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
