package fit

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// size is n in binary units for people: "4.1 GiB".
func size(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for ; v >= 1023.95 && i < 5; i++ { // what would be printed as 1024.0
		v /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTPE"[i])
}

// fitText shortens text to n columns: to its first word, if there is no room for
// more. What would mislead when it is cut is left out.
func fitText(text string, n int, whole bool) string {
	text = strings.TrimSpace(text)
	word, _, _ := strings.Cut(text, " ")
	switch {
	case columnsOf(text) <= n:
		return text
	case whole || columnsOf(word) > n:
		return ""
	case columnsOf(word)+4 > n: // too little would be left of the next one
		return word
	}
	at := 0
	for i, r := range text {
		if at += columnsOf(string(r)); at > n-1 {
			return text[:i] + "~"
		}
	}
	return text
}

func pad(text string, n int) string { return text + strings.Repeat(" ", n-columnsOf(text)) }

// columnsOf is how many columns of a terminal text takes, or more.
func columnsOf(text string) (n int) {
	const firstWide = 0x1100 // Hangul; every wide character lies behind it
	for _, r := range text {
		n++
		if r >= firstWide {
			n++
		}
	}
	return n
}

func printable(label string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, label)
}

// paragraph writes text in lines of at most width columns, all but the first
// indented.
func paragraph(w io.Writer, width, indent int, text string) {
	line := text[:indent]
	for i, word := range strings.Fields(text[indent:]) {
		switch {
		case i == 0:
			line += word
		case columnsOf(line)+1+columnsOf(word) > width:
			fmt.Fprintln(w, line)
			line = strings.Repeat(" ", indent) + word
		default:
			line += " " + word
		}
	}
	fmt.Fprintln(w, line)
}
