// Package lab is a room of PCs for tests: a switch, somebody else's DHCP server, a
// real 'ingot serve' with a real boot environment, and PCs in QEMU that start from
// the network with the firmware of real ones.
//
// Everything lies in a network namespace of the test's own (TestMain), and ends with
// it. It needs root and the tools that scripts/tools lists for 'lab'. It is support
// for tests and no part of any program.
package lab
