package windows

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/customise/windows/answer"
)

// Where Windows Setup finds answer files, in its order: the value UnattendFile of
// the key Setup in SYSTEM, Panther\Unattend, Panther, the roots of removable media,
// Sysprep, the root of the drive. See "Windows Setup Automation Overview" by
// Microsoft. Ours goes to Panther; what would win over it is taken away.
const (
	answerFile = "Windows/Panther/unattend.xml"
	setupKey   = "Setup"
	setupValue = "UnattendFile"
)

func winners() []string {
	return []string{"Windows/Panther/Unattend/unattend.xml", "Windows/Panther/Unattend/autounattend.xml"}
}

// Components of Windows Setup.
const (
	shellSetup    = "Microsoft-Windows-Shell-Setup"
	deployment    = "Microsoft-Windows-Deployment"
	joining       = "Microsoft-Windows-UnattendedJoin"
	international = "Microsoft-Windows-International-Core"
	tcpip         = "Microsoft-Windows-TCPIP"
	dnsClient     = "Microsoft-Windows-DNS-Client"
	specialize    = "specialize"
	oobeSystem    = "oobeSystem"
)

// answerFile writes unattend.xml for a Windows on which Windows Setup will run.
func (s *session) answerFile() error {
	if !s.info.Generalized || s.job.Settings == nil {
		return nil
	}
	if !s.staged && !s.hasAnswers() {
		return nil
	}
	if s.info.Architecture == "" {
		return errors.New("the registry of this Windows does not say for which processor it is made, which an answer file must")
	}
	f, err := s.template()
	if err != nil {
		return err
	}
	w := &writer{session: s, file: f}
	for _, part := range []func() error{w.machine, w.join, w.region, w.network, w.commands, w.accounts, w.pages} {
		if err := part(); err != nil {
			return err
		}
	}
	data, err := f.Bytes()
	if err != nil {
		return err
	}
	if old, err := s.read(answerFile, answer.MaxSize); err == nil && string(old) != string(data) {
		s.note("The image has an answer file of its own in Windows\\Panther, which is replaced. To keep what it says, name it as windows.unattend.")
	}
	if err := s.write(answerFile, data, private); err != nil {
		return err
	}
	return s.clearWinners()
}

// hasAnswers reports whether the profile says anything that goes into an answer
// file.
func (s *session) hasAnswers() bool {
	w := s.want.Windows
	zone := s.want.TimeZone + w.TimeZone
	return len(s.forSetup()) > 0 || s.want.Hostname+zone+w.Owner+w.Organization != "" || len(w.Commands) > 0
}

// template is the profile's own answer file, or an empty one.
func (s *session) template() (*answer.File, error) {
	name := s.want.Windows.Unattend
	if name == "" {
		return answer.New(), nil
	}
	data, err := readBounded(name, answer.MaxSize)
	if err != nil {
		return nil, err
	}
	f, err := answer.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// readBounded returns a file of this machine, of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", name, limit)
	}
	return data, err
}

// clearWinners takes away what Windows Setup would take instead of our file.
func (s *session) clearWinners() error {
	for _, name := range winners() {
		gone, err := s.remove(name)
		if err != nil {
			return err
		}
		if gone {
			s.note("Windows Setup would have taken %s instead of the new answer file, so it was removed.", name)
		}
	}
	h, err := s.open(system)
	if err != nil {
		return err
	}
	if v, err := h.Value(setupKey, setupValue); err != nil || len(v.Data) <= 2 {
		return nil
	}
	e, err := s.edit(system)
	if err != nil {
		return err
	}
	s.note("The registry led Windows Setup to another answer file (UnattendFile in SYSTEM\\Setup), so that value was removed.")
	return e.Delete(setupKey, setupValue)
}

// writer puts the profile into an answer file.
type writer struct {
	*session
	file *answer.File
}

func (w *writer) in(pass, component string) *answer.Element {
	return w.file.Component(pass, component, w.info.Architecture)
}

// set sets a text unless it is "".
func set(e *answer.Element, text string, path ...string) {
	if text != "" {
		e.Set(text, path...)
	}
}

// machine is what the computer is.
func (w *writer) machine() error {
	zone, err := w.windowsZone()
	if err != nil {
		return err
	}
	for _, v := range []struct{ text, element string }{
		{w.want.Hostname, "ComputerName"}, {w.want.Windows.ProductKey, "ProductKey"}, {w.want.Windows.Owner, "RegisteredOwner"},
		{w.want.Windows.Organization, "RegisteredOrganization"}, {zone, "TimeZone"},
	} {
		if v.text != "" {
			w.in(specialize, shellSetup).Set(v.text, v.element)
		}
	}
	return nil
}

// join puts the machine into a workgroup or a domain.
func (w *writer) join() error {
	group, d := w.want.Windows.Workgroup, w.want.Windows.Domain
	if group == "" && d.Name == "" && d.Blob == "" {
		return nil
	}
	c := w.in(specialize, joining)
	c.Unset("Identification") // of a template: two ways to join exclude each other
	switch {
	case d.Blob != "":
		blob, err := readBounded(d.Blob, maxScript)
		if err != nil {
			return err
		}
		text := strings.Trim(string(utf8Of(blob)), " \t\r\n\x00\uFEFF")
		if _, err := base64.StdEncoding.DecodeString(text); err != nil || text == "" {
			return fmt.Errorf("%s is not what 'djoin /provision' writes", d.Blob)
		}
		c.Set(text, "Identification", "Provisioning", "AccountData")
	case d.Name != "":
		c.Set(d.Name, "Identification", "JoinDomain")
		set(c, d.OU, "Identification", "MachineObjectOU")
		domain, user := accountOf(d.User, d.Name)
		c.Set(domain, "Identification", "Credentials", "Domain")
		c.Set(user, "Identification", "Credentials", "Username")
		c.Set(d.Password.Plain.Reveal(), "Identification", "Credentials", "Password")
	default:
		c.Set(group, "Identification", "JoinWorkgroup")
	}
	return nil
}

// accountOf splits DOMAIN\user and user@domain; an account without a domain is of
// the one that is joined.
func accountOf(account, joined string) (domain, user string) {
	if domain, user, ok := strings.Cut(account, `\`); ok {
		return domain, user
	}
	if user, domain, ok := strings.Cut(account, "@"); ok {
		return domain, user
	}
	return joined, account
}

// obscured is a password as Windows Setup writes it: with the name of its element
// behind it, as UTF-16, in base64. It keeps nobody from reading it.
func obscured(password, element string) string {
	var b []byte
	for _, c := range utf16.Encode([]rune(password + element)) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return base64.StdEncoding.EncodeToString(b)
}
