package daemon

import (
	"flag"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Words reads a command's flags and words, which people type in any order; all that
// follows "--" are words.
func Words(f *flag.FlagSet, args []string) (words []string, err error) {
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if n := len(args) - f.NArg(); f.NArg() == 0 || n > 0 && args[n-1] == "--" {
			return append(words, f.Args()...), nil
		}
		words, args = append(words, f.Arg(0)), f.Args()[1:]
	}
}

// Repeated is a flag that may be given more than once.
type Repeated []string

func (r *Repeated) String() string     { return strings.Join(*r, ",") }
func (r *Repeated) Set(s string) error { *r = append(*r, s); return nil }

// Terminal reports whether a person looks at w, and w can change a line.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
