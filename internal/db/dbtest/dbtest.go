// Package dbtest holds what every database behind package control has to do, as a
// suite of tests, and starts a PostgreSQL server for them. Start at Run.
package dbtest

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// Run tests databases that open makes: a new, empty one at each call.
func Run(t *testing.T, open func(t *testing.T) control.Records) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, r control.Records)
	}{
		{"machine", testMachine}, {"machine names", testMachineNames}, {"machines alike", testMachinesLike},
		{"machine list", testMachineList}, {"machine order", testMachineOrder}, {"signs of life", testTouch},
		{"groups", testGroups}, {"rules", testRules},
		{"batches", testBatches}, {"job", testJob}, {"job lists", testJobLists}, {"due jobs", testDueJobs}, {"job log", testJobLog},
		{"users", testUsers}, {"sessions", testSessions}, {"tokens", testTokens}, {"agents", testAgents},
		{"audit", testAudit}, {"boots", testBoots}, {"settings", testSettings}, {"image notes", testImageNotes},
		{"hostile texts", testHostileTexts}, {"big values", testBigValues}, {"times", testTimes}, {"absent", testAbsent},
		{"rollback", testRollback}, {"read your writes", testInside}, {"no lost update", testNoLostUpdate},
		{"no write skew", testNoWriteSkew}, {"a long transaction among short ones", testLongTransaction},
		{"readers beside writers", testReadersBesideWriters}, {"cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// must fails a test at an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// got fails a test at an error or at a value that is not the wanted one.
func got[T any](t testing.TB, want T) func(T, error) {
	t.Helper()
	return func(is T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(is, want) {
			t.Fatalf("read %+v\nwant %+v", is, want)
		}
	}
}

// absent fails a test unless err says that there is no record.
func absent(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, control.ErrNoRecord) {
		t.Fatalf("%v, want %v", err, control.ErrNoRecord)
	}
}

// at is a time so many seconds after some morning, with a fraction that must stay.
func at(seconds int) time.Time {
	return time.Date(2026, 11, 2, 8, 0, 0, 123_456_000, time.UTC).Add(time.Duration(seconds) * time.Second)
}

func background(t testing.TB) context.Context { return t.Context() }

// each is a property of each element.
func each[T, P any](list []T, property func(T) P) []P {
	all := make([]P, 0, len(list))
	for _, v := range list {
		all = append(all, property(v))
	}
	return all
}
