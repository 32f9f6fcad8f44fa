// Package control holds every action that a person, a program or an agent can take
// on a server: who may take it, what it does, the audit entry that it leaves, the
// event that it sends. Pages, API and agent protocol are thin fronts of Control.
//
// It keeps nothing itself: what must survive a restart is in Records, in profiles'
// folders and in the store (Images). It does not listen, and opens no store. Start
// at Control; the rules of jobs and machines are pure functions of package fleet.
package control
