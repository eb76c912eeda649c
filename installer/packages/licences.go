package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"golang.org/x/mod/module"
)

// stated is what is known of modules that come without the text of a licence: whose
// words it rests on, where they stand, and by which part the module came.
var stated = map[string]string{
	"github.com/elgs/gostrgen": `No licence text comes with it. Asked for one, its author wrote on 14 July 2019, at
https://github.com/elgs/gostrgen/issues/3: "Please feel free to use the code whatever
you like." It is linked in by github.com/use-go/onvif, of which the licence is here
too.`,
}

// licencesOf gathers the licences of the modules that are linked into a program, those
// that the bundler has gathered of the front end, and that of libc, Debian's package of
// the C library (NAME@VERSION, "": none).
func licencesOf(info *debug.BuildInfo, frontEnd []byte, libc string) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Third-party software in this program, with its licences. SQLite, where it is\nlinked in, is in the public domain. The licence of "+
		"the C library comes last: parts of the GNU C library are under\nthe LGPL 2.1, and this program's source, with which it can be linked anew, is at the\naddress of its own licence.\n")
	cache, err := exec.Command("go", "env", "GOMODCACHE", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	modules, root, _ := strings.Cut(strings.TrimSpace(string(cache)), "\n")
	if err := appendLicences(&out, "Go", root); err != nil {
		return nil, err
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		at, err := module.EscapePath(m.Path)
		if err != nil {
			return nil, err
		}
		if err := appendLicences(&out, m.Path, filepath.Join(modules, at+"@"+m.Version)); err != nil {
			return nil, err
		}
	}
	out.WriteString("\n\n")
	out.Write(frontEnd)
	if name, _, given := strings.Cut(libc, "@"); given {
		text, err := os.ReadFile(filepath.Join("/usr/share/doc", name, "copyright"))
		if err != nil {
			return nil, fmt.Errorf("the licence of the C library: %w", err)
		}
		fmt.Fprintf(&out, "\n\n==== %s: copyright ====\n\n%s\n", name, bytes.TrimSpace(text))
	}
	return out.Bytes(), nil
}

// bundledLicences reads what the bundler has gathered, whose name a program that holds
// the front end holds too; nil: this one does not.
func bundledLicences(dist, program string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dist, "licences-*.txt"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("one file of the front end's licences is wanted in %s, not %q: make pages", dist, files)
	}
	raw, err := os.ReadFile(program)
	if err != nil || !bytes.Contains(raw, []byte(filepath.Base(files[0]))) {
		return nil, err
	}
	return os.ReadFile(files[0])
}

// appendLicences writes the texts that lie in a module's folder.
func appendLicences(out *bytes.Buffer, name, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if e.IsDir() || !strings.HasPrefix(upper, "LICEN") && !strings.HasPrefix(upper, "COPYING") && !strings.HasPrefix(upper, "NOTICE") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n\n==== %s: %s ====\n\n%s\n", name, e.Name(), bytes.TrimSpace(text))
		found = true
	}
	if found {
		return nil
	}
	said, ok := stated[name]
	if !ok {
		return fmt.Errorf("no licence text comes with %s: find out what it is under, and say it in licences.go", name)
	}
	fmt.Fprintf(out, "\n\n==== %s ====\n\n%s\n", name, said)
	return nil
}
