package api

type fake struct{ Control }
