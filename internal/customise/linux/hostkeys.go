package linux

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/pem"
	"fmt"
	"path"
	"strings"

	"github.com/ingot-imaging/ingot/internal/rootfs"
	"golang.org/x/crypto/ssh"
)

const sshDir = "/etc/ssh"

// keyType is a kind of host key that is made. What is not among them (DSA, the
// keys of protocol 1) is removed and not made anew: sshd has no use for it any more.
type keyType string

const (
	keyEd25519 keyType = "ed25519"
	keyECDSA   keyType = "ecdsa"
	keyRSA     keyType = "rsa"
)

// keyTypes are what sshd looks for when its configuration names no key.
var keyTypes = []keyType{keyEd25519, keyECDSA, keyRSA}

// rsaBits is what ssh-keygen(1) makes.
const rsaBits = 3072

// renewHostKeys makes the keys anew that the image has or that its sshd_config
// names; all, when an image that has sshd was left without any.
func (m *machine) renewHostKeys() error {
	if m.job.Settings.Linux.SSHHostKeys == keep {
		return nil
	}
	files := m.glob(sshDir + "/ssh_host_*key")
	config, err := m.sshdConfig()
	if err != nil {
		return err
	}
	files = append(files, hostKeyFiles(config)...)
	if len(files) == 0 && m.exists(sshDir+"/sshd_config") {
		for _, t := range keyTypes {
			files = append(files, fmt.Sprintf("%s/ssh_host_%s_key", sshDir, t))
		}
	}
	done := map[string]bool{}
	for _, name := range files {
		at, err := m.real(name)
		if err != nil {
			return err
		}
		if done[at] {
			continue
		}
		done[at] = true
		if err := m.renewHostKey(at); err != nil {
			return err
		}
	}
	return m.removeCertificates()
}

// sshdConfig is sshd_config with what it includes, as far as it lies in sshd's
// folders.
func (m *machine) sshdConfig() ([]byte, error) {
	var all []byte
	for _, name := range append([]string{sshDir + "/sshd_config"}, m.glob(sshDir+"/sshd_config.d/*.conf")...) {
		text, err := m.read(name)
		if err != nil {
			return nil, err
		}
		all = append(append(all, text...), '\n')
	}
	return all, nil
}

// hostKeyFiles are the files that lines HostKey name.
func hostKeyFiles(config []byte) []string {
	var files []string
	for line := range bytes.Lines(config) {
		f := strings.FieldsFunc(string(line), func(r rune) bool { return strings.ContainsRune(" \t\r\n=", r) })
		if len(f) >= 2 && strings.EqualFold(f[0], "HostKey") && path.IsAbs(strings.Trim(f[1], `"`)) {
			files = append(files, path.Clean(strings.Trim(f[1], `"`)))
		}
	}
	return files
}

// renewHostKey replaces one key and its public half.
func (m *machine) renewHostKey(name string) error {
	old, err := m.read(name)
	if err != nil {
		return err
	}
	if old != nil && !bytes.HasPrefix(bytes.TrimSpace(old), []byte("-----BEGIN ")) && !bytes.HasPrefix(old, []byte("SSH PRIVATE KEY")) {
		m.note("sshd_config names %.100q as a host key; it is none, and stays", name)
		return nil
	}
	pub, err := m.read(name + ".pub")
	if err != nil {
		return err
	}
	key, err := m.newKey(name, string(pub))
	if err != nil {
		return fmt.Errorf("make %s: %w", name, err)
	}
	if key == nil {
		m.note("%s was removed: it is of a kind that sshd does not use any more", name)
		if err := m.remove(name); err != nil {
			return err
		}
		return m.remove(name + ".pub")
	}
	return m.writeHostKey(name, key, old != nil)
}

// newKey makes a key of the type that its public half, or its name, says; nil for
// a type that is not made.
func (m *machine) newKey(name, pub string) (crypto.Signer, error) {
	kind, _, _ := strings.Cut(pub, " ")
	base := path.Base(name)
	is := func(t keyType, prefix string) bool {
		return strings.HasPrefix(kind, prefix) || kind == "" && strings.Contains(base, string(t))
	}
	switch {
	case is(keyEd25519, ssh.KeyAlgoED25519):
		_, key, err := ed25519.GenerateKey(m.job.Rand)
		return key, err
	case is(keyECDSA, "ecdsa-sha2-"):
		curve := elliptic.P256()
		if kind == ssh.KeyAlgoECDSA384 {
			curve = elliptic.P384()
		} else if kind == ssh.KeyAlgoECDSA521 {
			curve = elliptic.P521()
		}
		return ecdsa.GenerateKey(curve, m.job.Rand)
	case is(keyRSA, ssh.KeyAlgoRSA):
		return rsa.GenerateKey(m.job.Rand, rsaBits)
	}
	return nil, nil
}

func (m *machine) writeHostKey(name string, key crypto.Signer, there bool) error {
	comment := "root@" + m.hostname()
	block, err := ssh.MarshalPrivateKey(key, comment)
	if err != nil {
		return err
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return err
	}
	private := pem.EncodeToMemory(block)
	if e, _ := m.stat(name); there && e.mode&0o137 == 0 {
		err = m.write(name, private) // 0600, or 0640 for a group that the distribution chose
	} else {
		err = m.writeAs(name, private, rootfs.Attr{Mode: 0o600})
	}
	if err != nil {
		return err
	}
	line := strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(public)), "\n") + " " + comment + "\n"
	return m.writeAs(name+".pub", []byte(line), rootfs.Attr{Mode: 0o644})
}

// removeCertificates removes certificates of the old keys.
func (m *machine) removeCertificates() error {
	for _, name := range m.glob(sshDir + "/ssh_host_*-cert.pub") {
		m.note("%s was removed: it is a certificate of the reference PC's key; have the new key signed", name)
		if err := m.remove(name); err != nil {
			return err
		}
	}
	return nil
}

// hostname is the name that the machine will have.
func (m *machine) hostname() string {
	if name := m.job.Settings.Hostname; name != "" {
		return name
	}
	text, err := m.read("/etc/hostname")
	if name := firstWord(text); err == nil && hostnameForm.MatchString(name) {
		return name
	}
	return "localhost"
}
