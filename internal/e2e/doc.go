// Package e2e holds the proofs that need the whole engine: capture, deploy,
// compare and clone of disks that the real tools made and judge afterwards, of
// devices and stores that fail or lose power in the middle, and of sizes that do
// not fit in memory.
//
// It has no code of its own, only tests. Start with TestRandomDisks; the disks
// are built in disk_test.go and volumes_test.go, the verbs wrapped in
// engine_test.go.
package e2e
