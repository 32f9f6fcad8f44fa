package windows

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/windows/answer"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// Limits of Windows Setup, in characters.
const (
	maxLogonCommand = 1024
	maxSyncCommand  = 259
)

// pages hides what Windows would ask before the first log-on.
func (w *writer) pages() error {
	c := w.in(oobeSystem, shellSetup)
	for _, p := range []struct{ name, text string }{
		{"HideEULAPage", "true"}, {"HideOEMRegistrationScreen", "true"}, {"HideOnlineAccountScreens", "true"},
		{"HideWirelessSetupInOOBE", "true"}, {"ProtectYourPC", "3"},
	} {
		if len(c.Texts("OOBE", p.name)) == 0 { // a template knows better
			c.Set(p.text, "OOBE", p.name)
		}
	}
	if w.want.Windows.Administrator.Plain != "" && strings.HasPrefix(w.info.Edition, "Server") {
		c.Set("true", "OOBE", "HideLocalAccountScreen")
	}
	if !strings.HasPrefix(w.info.Edition, "Server") && c.Items("LocalAccount", "UserAccounts", "LocalAccounts") == 0 && w.want.Windows.Domain == (profile.Domain{}) {
		w.note("The profile has no users: Windows will ask for one before the first log-on.")
	}
	return nil
}

// accounts makes local accounts.
func (w *writer) accounts() error {
	c := w.in(oobeSystem, shellSetup)
	if p := w.want.Windows.Administrator; p != (profile.Password{}) {
		if err := checkPassword("windows.administrator", p); err != nil {
			return err
		}
		c.Set(obscured(p.Plain.Reveal(), "AdministratorPassword"), "UserAccounts", "AdministratorPassword", "Value")
		c.Set("false", "UserAccounts", "AdministratorPassword", "PlainText")
	}
	for _, u := range w.want.Users {
		if err := checkPassword("the password of "+u.Name, u.Password); err != nil {
			return err
		}
		w.account(c, u)
	}
	return nil
}

func checkPassword(what string, p profile.Password) error {
	if p.Plain == "" && p.Hash != "" {
		return fmt.Errorf("%s is given as a hash, which Windows does not take: give the password itself, as file or plain", what)
	}
	return nil
}

func (w *writer) account(c *answer.Element, u profile.User) {
	list := []string{"UserAccounts", "LocalAccounts"}
	c.Clear("LocalAccount", "Name", func(name string) bool { return strings.EqualFold(name, u.Name) }, list...)
	a := c.Add("LocalAccount", list...)
	if u.Password.Plain != "" {
		a.Set(obscured(u.Password.Plain.Reveal(), "Password"), "Password", "Value")
		a.Set("false", "Password", "PlainText")
	} else {
		w.note("The account %s gets no password: Windows lets anyone at the machine itself log on as it.", u.Name)
	}
	set(a, u.FullName, "DisplayName")
	groups := slices.Concat([]string{"Users"}, u.Groups) // Windows Setup knows these names in every language
	if u.Admin {
		groups[0] = "Administrators"
	}
	a.Set(strings.Join(groups, ";"), "Group")
	a.Set(u.Name, "Name")
	if len(u.Keys) > 0 {
		w.note("The SSH keys of the account %s were left out: Windows has no place for them before it is logged on to.", u.Name)
	}
}

// commands are those of Setup itself and of the first log-on.
func (w *writer) commands() error {
	var sync []string
	if w.staged {
		sync = append(sync, `cmd.exe /d /c "pnputil.exe /add-driver C:\Drivers\ingot\*.inf /subdirs /install >>C:\Windows\Temp\ingot-drivers.log 2>&1 & exit /b 0"`)
	}
	if w.want.Windows.Administrator != (profile.Password{}) {
		// By its number, since its name depends on the language. It is off on clients.
		sync = append(sync, `powershell.exe -NoProfile -NonInteractive -Command "Get-LocalUser | Where-Object SID -like 'S-1-5-21-*-500' | Enable-LocalUser; exit 0"`)
	}
	if err := w.list(sync, specialize, deployment, "RunSynchronous", "RunSynchronousCommand", "Path", maxSyncCommand); err != nil {
		return err
	}
	return w.list(w.want.Windows.Commands, oobeSystem, shellSetup, "FirstLogonCommands", "SynchronousCommand", "CommandLine", maxLogonCommand)
}

// list appends commands behind those of a template.
func (w *writer) list(commands []string, pass, component, list, item, element string, most int) error {
	if len(commands) == 0 {
		return nil
	}
	c := w.in(pass, component)
	order := 0
	for _, text := range c.Texts(list, item, "Order") {
		if n, err := strconv.Atoi(text); err == nil {
			order = max(order, n)
		}
	}
	for i, command := range commands {
		if len([]rune(command)) > most || strings.ContainsAny(command, "\r\n") {
			return fmt.Errorf("command %d of %s has more than %d characters or a line end", i+1, list, most)
		}
		e := c.Add(item, list)
		e.Set(strconv.Itoa(order+i+1), "Order")
		e.Set(command, element)
	}
	return nil
}
