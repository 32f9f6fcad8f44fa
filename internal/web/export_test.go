package web

import "net/http"

// Routes are all routes, for the tests that try each with each role.
func Routes() (all []TestedRoute) {
	for _, r := range routes() {
		all = append(all, TestedRoute{r.method, r.path, string(r.need), r.method == http.MethodPost})
	}
	return all
}

// TestedRoute is a route as tests see it.
type TestedRoute struct {
	Method, Path, Need string
	Changes            bool
}
