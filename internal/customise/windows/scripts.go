package windows

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/hive"
)

// Where scripts and what they say are, on the machine and in the tree.
const (
	homeDir      = "ProgramData/ingot"
	scriptsDir   = homeDir + "/firstboot"
	runner       = homeDir + "/firstboot.cmd"
	ranOnce      = homeDir + "/firstboot.done" // left by a deploy before this image was captured
	setupScripts = "Windows/Setup/Scripts"
	setupDone    = setupScripts + "/SetupComplete.cmd"
	setupKept    = setupScripts + "/SetupComplete-image.cmd"
)

// mark is the line by which our SetupComplete.cmd is known from the image's own.
const mark = "rem This file was written by ingot."

// maxScript bounds a script in bytes.
const maxScript = 1 << 20

// scripts puts the scripts of the profile where they run once, as system: from
// SetupComplete.cmd, which Windows Setup runs at its end. On a Windows on which
// Setup does not run, they run at the first log-on of an administrator.
func (s *session) scripts() error {
	lines, ours := s.want.Windows.SetupComplete, s.want.Scripts
	if len(lines) == 0 && len(ours) == 0 {
		return s.dropOld()
	}
	for i, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return r < 0x20 && r != '\t' }) {
			return fmt.Errorf("line %d of windows.setup-complete has a control character or a line end in it", i+1)
		}
	}
	if err := s.mkdir(homeDir, private); err != nil {
		return err
	}
	if _, err := s.remove(ranOnce); err != nil {
		return err
	}
	var names []string
	for i, script := range ours {
		text, ext := []byte(script.Content), ".cmd"
		if script.Source != "" {
			var err error
			if text, err = readScript(script.Source); err != nil {
				return err
			}
			ext = strings.ToLower(filepath.Ext(script.Source))
		}
		name := fmt.Sprintf("%02d-%s%s", i+1, plain(script.Name), ext)
		if err := s.write(scriptsDir+"/"+name, forWindows(text, ext), inherited); err != nil {
			return err
		}
		names = append(names, name)
	}
	if err := s.write(runner, batch(runLines(names)), inherited); err != nil {
		return err
	}
	if s.info.Generalized {
		return s.setupComplete(lines)
	}
	return s.atLogOn(lines)
}

func readScript(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxScript {
		return nil, fmt.Errorf("the script %s is no file of up to %d bytes", name, maxScript)
	}
	return os.ReadFile(name)
}

var notPlain = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// plain makes a name that means nothing to a batch file, whatever it was.
func plain(name string) string {
	name = strings.Trim(notPlain.ReplaceAllString(name, "-"), "-.")
	if len(name) > 60 {
		name = name[:60]
	}
	if name == "" {
		return "script"
	}
	return name
}

// forWindows gives a script the line ends that batch files need for their labels,
// and one of PowerShell the mark without which it is not taken for UTF-8.
func forWindows(text []byte, ext string) []byte {
	const utf8Mark = "\xEF\xBB\xBF"
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	ascii := !bytes.ContainsFunc(text, func(r rune) bool { return r >= 0x80 })
	if ext == ".ps1" && !ascii && utf8.Valid(text) && !bytes.HasPrefix(text, []byte(utf8Mark)) {
		return append([]byte(utf8Mark), text...)
	}
	return text
}

func batch(lines []string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// runLines is the batch file that runs the scripts one after the other, once. It
// holds nothing of the profile but names that plain has made.
func runLines(names []string) []string {
	lines := []string{
		"@echo off", mark, "setlocal DisableDelayedExpansion", "chcp 65001 >nul",
		`set "log=%~dp0firstboot.log"`, `if exist "%~dp0firstboot.done" exit /b 0`, `>"%~dp0firstboot.done" echo begun`,
		`>>"%log%" echo %DATE% %TIME% first boot of %COMPUTERNAME%`, // a digit before >> would be taken for a handle
	}
	for _, name := range names {
		command := `cmd.exe /d /c ""%~dp0firstboot\` + name + `""`
		if strings.HasSuffix(name, ".ps1") {
			command = `powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File "%~dp0firstboot\` + name + `"`
		}
		lines = append(lines,
			`>>"%log%" echo %DATE% %TIME% `+name+` begins`,
			command+` >>"%log%" 2>&1`,
			`>>"%log%" echo %DATE% %TIME% `+name+` ended with %ERRORLEVEL%`)
	}
	return append(lines, `>>"%log%" echo %DATE% %TIME% done`, "exit /b 0")
}

// setupComplete writes SetupComplete.cmd. The image's own is kept beside it and
// runs first.
func (s *session) setupComplete(lines []string) error {
	old, err := s.read(setupDone, maxScript)
	if absent(err) != nil {
		return err
	}
	if err == nil && !bytes.Contains(old, []byte(mark)) {
		if err := s.write(setupKept, old, private); err != nil {
			return err
		}
		s.note("The image has a SetupComplete.cmd of its own, which runs before what the profile says.")
	}
	if s.info.Edition != "" && !strings.HasPrefix(s.info.Edition, "Enterprise") && !strings.HasPrefix(s.info.Edition, "Server") && !strings.HasPrefix(s.info.Edition, "Education") {
		s.note("Windows does not run SetupComplete.cmd, and with it first-boot scripts, on a machine whose product key is that of its maker (OEM).")
	}
	return s.write(setupDone, batch(s.setupLines(lines)), private)
}

// dropOld takes away what an earlier deploy wrote into a machine that this image was
// captured from.
func (s *session) dropOld() error {
	old, err := s.read(setupDone, maxScript)
	if err != nil || !bytes.Contains(old, []byte(mark)) {
		return absent(err)
	}
	kept, err := s.read(setupKept, maxScript)
	if err != nil {
		_, err2 := s.remove(setupDone)
		return errors.Join(absent(err), err2)
	}
	if _, err := s.remove(setupKept); err != nil {
		return err
	}
	return s.write(setupDone, kept, private)
}

func (s *session) setupLines(lines []string) []string {
	all := []string{"@echo off", mark, `if exist "%~dp0SetupComplete-image.cmd" cmd.exe /d /c ""%~dp0SetupComplete-image.cmd""`}
	if strings.ContainsFunc(strings.Join(lines, ""), func(r rune) bool { return r >= 0x80 }) {
		all = append(all, "chcp 65001 >nul")
	}
	all = append(all, lines...)
	return append(all, `cmd.exe /d /c ""%ProgramData%\ingot\firstboot.cmd""`)
}

// atLogOn lets the scripts run once at a log-on.
func (s *session) atLogOn(lines []string) error {
	command := `cmd.exe /d /c ""%ProgramData%\ingot\firstboot.cmd""`
	if len(lines) > 0 {
		command = `cmd.exe /d /c ""%ProgramData%\ingot\logon.cmd""`
		if err := s.write(homeDir+"/logon.cmd", batch(s.setupLines(lines)), inherited); err != nil {
			return err
		}
	}
	e, err := s.edit(software)
	if err != nil {
		return err
	}
	s.note("This Windows was not generalized, so Windows Setup does not run: the scripts run when an administrator logs on for the first time.")
	return e.Set(`Microsoft\Windows\CurrentVersion\RunOnce`, hive.String("ingot", command))
}
