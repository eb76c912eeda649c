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

// licencesOf gathers the licences of the modules that are linked into a program, and
// those that the bundler has gathered of the front end.
func licencesOf(info *debug.BuildInfo, frontEnd []byte) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Third-party software in this program, with its licences. SQLite is in the public\ndomain; the GNU C library is under the LGPL 2.1, and this program's source, with\nwhich it can be linked anew, is at the address of its own licence.\n")
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
	return out.Bytes(), nil
}

// bundledLicences reads what the bundler has gathered.
func bundledLicences(dist string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(dist, "licences-*.txt"))
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("one file of the front end's licences is wanted in %s, not %q: make pages", dist, files)
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
	if !found { // its author ships none
		fmt.Fprintf(out, "\n\n==== %s ====\n\nNo licence text comes with it: see https://pkg.go.dev/%s?tab=licenses\n", name, name)
	}
	return nil
}
