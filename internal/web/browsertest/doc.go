// Package browsertest looks at the pages of a server in a real Chromium: that they
// do what people do with them, that nothing is on the console, that axe-core finds
// nothing serious, and how they look.
//
// It holds tests alone. Pictures of every page, light and dark, wide and on a phone,
// are kept in the folder that INGOT_SCREENSHOTS names, bin/screenshots otherwise.
package browsertest
