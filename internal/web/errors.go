package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
)

// failure is the page of a request that was not done.
type failure struct {
	What string // happened
	Do   string // next
	Link string
	Text string // of the link
}

func notFound(v *visit) error {
	return &control.NotFoundError{What: "page", ID: v.r.URL.Path}
}

// fail answers with the page that says what went wrong and what to do.
func (v *visit) fail(err error) {
	if errors.Is(err, context.Canceled) && v.r.Context().Err() != nil {
		return // nobody reads an answer
	}
	if errors.Is(err, control.ErrUnauthenticated) {
		v.toLogin()
		return
	}
	status, title, body := explain(err)
	if status == http.StatusInternalServerError {
		v.log.Error("a page failed", "method", v.r.Method, "path", v.r.URL.Path, "error", err)
		body.What = "The server met an error: " + err.Error()
	}
	if tooMany := (*control.RateLimitedError)(nil); errors.As(err, &tooMany) {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.After.Seconds())+1))
	}
	if body.Link == "" {
		body.Link, body.Text = "/", "To the overview"
	}
	if err := v.render(status, "failure", page{Title: title, Body: body}); err != nil {
		v.log.Error("the page of an error failed", "error", err)
	}
}

// explain says what an error means to whoever looks at the page.
func explain(err error) (status int, title string, body failure) {
	var (
		missing   *control.NotFoundError
		forbidden *control.ForbiddenError
		conflict  *control.ConflictError
		tooMany   *control.RateLimitedError
	)
	switch {
	case errors.As(err, &missing):
		return http.StatusNotFound, "Not found", failure{
			What: fmt.Sprintf("There is no %s %q.", missing.What, missing.ID),
			Do:   "It may have been removed or renamed. Look for it in the lists."}
	case errors.As(err, &forbidden):
		return http.StatusForbidden, "Not allowed", failure{
			What: "This needs the role " + string(forbidden.Need) + ".",
			Do:   "Ask somebody with that role to do it, or an administrator to change yours. Nothing was changed."}
	case errors.As(err, &conflict):
		return http.StatusConflict, "Not possible now", failure{What: sentence(conflict.Message), Do: "Go back, look at it again, and repeat what still makes sense."}
	case errors.As(err, &tooMany):
		return http.StatusTooManyRequests, "Too many attempts", failure{
			What: fmt.Sprintf("There were too many failed attempts. Wait %s and try again.", span(tooMany.After))}
	case errors.Is(err, errForeignForm):
		return http.StatusForbidden, "The form was refused", failure{
			What: sentence(errForeignForm.Error()), Do: "Open the page again and repeat it. Nothing was changed."}
	case errors.Is(err, errTooLarge):
		return http.StatusRequestEntityTooLarge, "Too large", failure{
			What: sentence(errTooLarge.Error()), Do: "Forms may have 1 MiB, files together 64 MiB."}
	}
	if problems := problemsOf(err); len(problems) > 0 {
		return http.StatusUnprocessableEntity, "Something is not right yet", failure{What: problems.String(), Do: "Go back and correct it. Nothing was changed."}
	}
	return http.StatusInternalServerError, "The server failed", failure{Do: "Nothing may have been changed. Try again; when it happens again, the server's log says more."}
}

// toLogin sends somebody without a session to the login, and back later.
func (v *visit) toLogin() {
	if strings.HasPrefix(v.r.URL.Path, "/events/") {
		v.w.WriteHeader(http.StatusUnauthorized) // the script loads the page again
		return
	}
	if needed, err := v.ctl.SetupNeeded(v.r.Context()); err == nil && needed {
		http.Redirect(v.w, v.r, "/setup", http.StatusSeeOther)
		return
	}
	if v.r.Header.Get("HX-Request") != "" {
		v.w.Header().Set("HX-Redirect", "/login")
		v.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	to := "/login"
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/" {
		to += "?back=" + url.QueryEscape(v.r.URL.RequestURI())
	}
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
}

// problem is what is wrong with one field of a form.
type problem struct{ Field, Message string }

// problems are shown above a form, and beside their fields.
type problems []problem

// problemsOf returns what an error says about fields, nil for other errors.
func problemsOf(err error) problems {
	var many control.InvalidErrors
	if errors.As(err, &many) {
		var all problems
		for _, one := range many {
			all = append(all, problem{one.Field, one.Message})
		}
		return all
	}
	var one *control.InvalidError
	if errors.As(err, &one) {
		return problems{{one.Field, one.Message}}
	}
	return nil
}

// formProblems is problemsOf with conflicts as problems of the form: a name that is
// taken is corrected in the form, too.
func formProblems(err error) problems {
	var conflict *control.ConflictError
	if errors.As(err, &conflict) {
		return problems{{"", conflict.Message}}
	}
	return problemsOf(err)
}

// Of returns the message about a field.
func (p problems) Of(field string) string {
	for _, one := range p {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}

func (p problems) String() string {
	text := ""
	for _, one := range p {
		if text != "" {
			text += " "
		}
		text += sentence(one.Message)
	}
	return text
}

// sentence makes a message one: errors are written as parts of others.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	runes := []rune(s)
	if runes[0] >= 'a' && runes[0] <= 'z' {
		runes[0] -= 'a' - 'A'
	}
	switch runes[len(runes)-1] {
	case '.', '!', '?', ':':
		return string(runes)
	}
	return string(runes) + "."
}
