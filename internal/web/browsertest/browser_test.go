package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/ingot-imaging/ingot/internal/web"
)

//go:embed testdata/axe.min.js
var axe string

// tab is a page in a browser of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
	mu   sync.Mutex
	said []string // on the console: warnings and worse
}

// open starts a browser. What its console says fails the test.
func open(t *testing.T, base string) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-features", "Translate,BackForwardCache"), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-networking", true), chromedp.WindowSize(1280, 900))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeTab := chromedp.NewContext(allocator)
	ctx, late := context.WithTimeout(ctx, 4*time.Minute)
	b := &tab{t: t, ctx: ctx, base: base}
	t.Cleanup(func() {
		b.mu.Lock()
		for _, line := range b.said {
			t.Errorf("the console says: %s", line)
		}
		b.mu.Unlock()
		late()
		closeTab()
		stop()
	})
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil {
		t.Fatalf("Chromium does not start (Debian has it as package chromium): %v", err)
	}
	console := chromedp.Console(ctx)
	go func() {
		for m, err := range console {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleWarning || m.Type == chromedp.ConsoleError || m.IsException() {
				b.mu.Lock()
				b.said = append(b.said, m.String()+" at "+m.URL)
				b.mu.Unlock()
			}
		}
	}()
	return b
}

// quiet forgets what the console said: what was done before is answered with an
// error status, which browsers log.
func (b *tab) quiet() {
	time.Sleep(100 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = nil
}

// session gives the browser a login.
func (b *tab) session(secret string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: web.SessionCookie, Value: secret, URL: b.base, Path: "/", Secure: new(true),
			HTTPOnly: new(true), SameSite: network.CookieSameSiteStrict})
		return err
	}))
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, late := context.WithTimeout(b.ctx, 30*time.Second)
	defer late()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v\nat %s:\n%.3000s", err, value[string](b, "location.href"), value[string](b, "document.body.innerText"))
	}
}

func (b *tab) visit(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.base + path)) }

// follow clicks what leads to another page, and waits for it.
func (b *tab) follow(selector string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void]("void (window.left = true)"), chromedp.Click(chromedp.CSS(selector)))
	b.arrived()
}

// arrived waits until the next page is there.
func (b *tab) arrived() {
	b.t.Helper()
	b.until("!window.left && document.readyState === 'complete' && !!document.querySelector('main')")
}

func (b *tab) click(selector string) { b.t.Helper(); b.do(chromedp.Click(chromedp.CSS(selector))) }

func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// until waits for an expression to be true, on whatever page comes.
func (b *tab) until(expression string) {
	b.t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(50 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+expression+")")); err == nil && ok {
			return
		}
	}
	b.t.Fatalf("%s does not come true at %s:\n%.3000s", expression, value[string](b, "location.href"), value[string](b, "document.body.innerText"))
}

// shows waits for a text on the page.
func (b *tab) shows(text string) {
	b.t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		b.t.Fatal(err)
	}
	b.until(`document.body && document.body.innerText.replace(/\s+/g, " ").includes(` + string(quoted) + ")")
}

func value[T any](b *tab, expression string) T {
	v, _ := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	return v
}

// A look is a size of the window and a scheme of colours.
type look struct {
	name   string
	width  int64
	height int64
	dark   bool
}

var looks = []look{{"wide-light", 1280, 900, false}, {"wide-dark", 1280, 900, true}, {"phone-dark", 360, 740, true}, {"phone-light", 360, 740, false}}

func (b *tab) as(l look) {
	b.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	b.do(chromedp.EmulateViewport(l.width, l.height), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return err
	}))
}

// shoot keeps a picture of the whole page.
func (b *tab) shoot(name string) {
	b.t.Helper()
	folder := os.Getenv("INGOT_SCREENSHOTS")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "bin", "screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// accessible fails the test for what axe-core calls serious or critical.
func (b *tab) accessible(where string) {
	b.t.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](axe + "\n;void 0"))
	report, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(
		r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + (n.any[0]?.message || "")).slice(0, 4)}))))`,
		chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var found []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(report), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range found {
		b.t.Errorf("%s: axe-core finds %s: %s\n  %s", where, v.ID, v.Help, strings.Join(v.Nodes, "\n  "))
	}
}

// fits fails the test when the page can be scrolled sideways.
func (b *tab) fits(where string) {
	b.t.Helper()
	if wide := value[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		widest := value[string](b, `[...document.querySelectorAll("main *, .top *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .log, pre, textarea, .hidden, thead")).slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join("\n  ")`)
		b.t.Errorf("%s is %d pixels wider than the window:\n  %s", where, wide, widest)
	}
}

// file makes names of pictures from names of pages.
func file(page string, l look) string { return fmt.Sprintf("%s.%s", page, l.name) }
