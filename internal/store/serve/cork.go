package serve

import "net/http"

func corked(*http.Request) func() { return func() {} }
