package windows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/windows/region"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// region sets languages and the keyboard, of the system and of its users.
func (w *writer) region() error {
	input := w.want.Windows.Keyboard
	var locale region.Locale
	if w.want.Locale != "" {
		var ok bool
		if locale, ok = region.LocaleOf(w.want.Locale); !ok {
			return fmt.Errorf("no language of Windows is known for the locale %q: give it in an own answer file (windows.unattend)", w.want.Locale)
		}
	}
	if input == "" {
		var err error
		if input, err = w.input(locale); err != nil {
			return err
		}
	}
	if input == "" && locale.Tag == "" {
		return nil
	}
	for _, pass := range []string{specialize, oobeSystem} {
		c := w.in(pass, international)
		set(c, input, "InputLocale")
		set(c, locale.Tag, "SystemLocale")
		set(c, locale.Tag, "UserLocale")
		set(c, w.interfaceLanguage(locale.Tag), "UILanguage")
	}
	return nil
}

// input is the keyboard, as language and layout. A language that is typed by an
// input method is named by its tag, which brings the method along.
func (w *writer) input(locale region.Locale) (string, error) {
	if w.want.Keyboard == "" {
		if locale.Tag == "" || locale.Keyboard == "" {
			return locale.Tag, nil
		}
		return locale.LCID + ":" + locale.Keyboard, nil
	}
	id, exact, ok := region.KeyboardOf(w.want.Keyboard)
	if !ok {
		return "", fmt.Errorf("no keyboard of Windows is known for %q: set windows.keyboard, such as 0407:00000407", w.want.Keyboard)
	}
	if !exact {
		w.note("Windows has no variant of the keyboard as in %s, so it gets the layout without.", w.want.Keyboard)
	}
	language := locale.LCID
	if language == "" {
		language = id[4:]
	}
	return language + ":" + id, nil
}

// interfaceLanguage is a language that Windows has its own texts in.
func (w *writer) interfaceLanguage(tag string) string {
	has := w.info.Languages
	if tag == "" || len(has) == 0 || slices.ContainsFunc(has, func(l string) bool { return strings.EqualFold(l, tag) }) {
		return tag
	}
	language, _, _ := strings.Cut(tag, "-")
	found := has[0]
	for _, l := range has {
		if strings.HasPrefix(strings.ToLower(l), language+"-") {
			found = l
		}
	}
	w.note("This Windows is not installed in %s, so its texts stay in %s.", tag, found)
	return found
}

// network configures interfaces that are known by their address.
func (w *writer) network() error {
	for _, i := range w.want.Network {
		id := identifier(i)
		if strings.ContainsAny(id, "*?") {
			w.note("The network interface %s was left out: Windows takes no patterns; give its address (mac).", id)
			continue
		}
		w.addresses(id, i)
		w.names(id, i)
	}
	return nil
}

// identifier is how Windows Setup names an interface: by its name, or by its
// address with hyphens.
func identifier(i profile.Interface) string {
	if i.MAC == "" {
		return i.Name
	}
	var pairs []string
	for pair := range slices.Chunk([]byte(strings.NewReplacer(":", "", "-", "").Replace(i.MAC)), 2) {
		pairs = append(pairs, strings.ToUpper(string(pair)))
	}
	return strings.Join(pairs, "-")
}

func (w *writer) addresses(id string, i profile.Interface) {
	e := w.in(specialize, tcpip).Add("Interface", "Interfaces")
	e.Set(id, "Identifier")
	e.Set(strconv.FormatBool(i.DHCP), "Ipv4Settings", "DhcpEnabled")
	for n, a := range i.Addresses {
		e.Add("IpAddress", "UnicastIpAddresses").Key(strconv.Itoa(n + 1)).Set(a)
	}
	if i.Gateway == "" {
		return
	}
	everywhere := "0.0.0.0/0"
	if strings.Contains(i.Gateway, ":") {
		everywhere = "::/0"
	}
	r := e.Add("Route", "Routes")
	r.Set("0", "Identifier")
	r.Set(everywhere, "Prefix")
	r.Set(i.Gateway, "NextHopAddress")
}

// names sets servers and suffixes of DNS.
func (w *writer) names(id string, i profile.Interface) {
	if len(i.DNS) == 0 && len(i.Search) == 0 {
		return
	}
	c := w.in(specialize, dnsClient)
	e := c.Add("Interface", "Interfaces")
	e.Set(id, "Identifier")
	for n, server := range i.DNS {
		e.Add("IpAddress", "DNSServerSearchOrder").Key(strconv.Itoa(n + 1)).Set(server)
	}
	for _, suffix := range i.Search {
		if known := c.Texts("DNSSuffixSearchOrder", "DomainName"); !slices.Contains(known, suffix) {
			c.Add("DomainName", "DNSSuffixSearchOrder").Key(strconv.Itoa(len(known) + 1)).Set(suffix)
		}
	}
}
