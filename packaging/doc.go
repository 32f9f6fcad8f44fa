// Package packaging has what makes a Debian package of ingot (scripts/deb), and the
// test that installs one and starts it. It is no part of any program.
package packaging
