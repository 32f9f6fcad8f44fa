// Package api is the JSON API of a server: every action that package control offers
// to people, over HTTPS below /api/v1, for programs and for the command line.
//
// It owns paths, parameters, limits, the OpenAPI document (doc/openapi.json), who is
// asking, and how errors are told (RFC 9457). It decides nothing: each operation is
// one call of control. It refuses what is no part of its document: unknown fields,
// unknown parameters, bodies over their limit. Start at New; each file of operations
// is one subject.
package api
