package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"
)

// page is a program's manual page.
type page struct {
	Name, What, Usage, Exit string
	Commands                []entry
	Options                 []option // that most commands take
	Version, Day            string
}

type entry struct {
	Usage, What string
	Options     []option
}

type option struct{ Name, What string }

// pageOf asks a program of this machine by "help", and each of its commands by "-h",
// and writes what they say as a page of roff: it has no words of its own that could
// come to differ.
func pageOf(program, version string, made time.Time) ([]byte, error) {
	help, err := says(program, "help")
	if err != nil {
		return nil, err
	}
	p := page{Name: filepath.Base(program), Version: version, Day: made.UTC().Format(time.DateOnly)}
	for line := range strings.Lines(help) {
		line = strings.TrimSuffix(line, "\n")
		if what, ok := strings.CutPrefix(line, p.Name+" "); ok {
			p.What = strings.TrimSuffix(what, ".")
		} else if usage, ok := strings.CutPrefix(line, "usage: "); ok {
			p.Usage = usage
		} else if exit, ok := strings.CutPrefix(line, "exit status: "); ok {
			p.Exit = exit
		} else if command, ok := strings.CutPrefix(line, "  "); ok {
			name, what, _ := strings.Cut(command, "  ")
			e, err := entryOf(program, name, strings.TrimSpace(what))
			if err != nil {
				return nil, err
			}
			p.Commands = append(p.Commands, e)
		}
	}
	if p.What == "" || p.Usage == "" || p.Exit == "" || len(p.Commands) == 0 {
		return nil, fmt.Errorf("%s help does not say what a manual page needs: %s", program, help)
	}
	p.gather()
	var out bytes.Buffer
	err = roff.Execute(&out, p)
	return out.Bytes(), err
}

func entryOf(program, name, what string) (entry, error) {
	help, err := says(program, append(strings.Fields(name), "-h")...)
	usage, options, ok := strings.Cut(help, "\n")
	usage, found := strings.CutPrefix(usage, "usage: "+filepath.Base(program)+" ")
	if err != nil || !ok || !found || what == "" {
		return entry{}, fmt.Errorf("%s %s -h: %w: %s", program, name, err, help)
	}
	e := entry{Usage: strings.TrimSpace(usage), What: what}
	for line := range strings.Lines(options) { // as flag.PrintDefaults has them
		if begun, ok := strings.CutPrefix(line, "  -"); ok {
			name, what, _ := strings.Cut(begun, "\t")
			e.Options = append(e.Options, option{"-" + strings.TrimSpace(name), strings.TrimSpace(what)})
		} else if more := strings.TrimSpace(line); more != "" {
			last := &e.Options[len(e.Options)-1]
			last.What = strings.TrimSpace(last.What + " " + more)
		}
	}
	return e, nil
}

func says(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Env = []string{"LC_ALL=C.UTF-8"} // defaults are not those of who builds
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %q: %w", program, args, err)
	}
	return string(out), nil
}

// gather says once what most commands take.
func (p *page) gather() {
	takers := map[option]int{}
	for _, e := range p.Commands {
		for _, o := range e.Options {
			if takers[o]++; takers[o] == len(p.Commands)/2+1 {
				p.Options = append(p.Options, o)
			}
		}
	}
	for i := range p.Commands {
		e := &p.Commands[i]
		e.Options = slices.DeleteFunc(e.Options, func(o option) bool { return slices.Contains(p.Options, o) })
	}
}

// plain has roff show a text as it stands.
var plain = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`)

var roff = template.Must(template.New("").Funcs(template.FuncMap{"upper": strings.ToUpper,
	"plain": func(s string) string { return `\&` + plain.Replace(s) }}).Parse(`
{{- define "options"}}{{range .}}.TP
.B {{plain .Name}}
{{plain .What}}
{{end}}{{end -}}
.TH {{upper .Name}} 8 {{.Day}} "{{.Version}}" "Anagrafe Telecamere"
.ad l
.nh
.SH NAME
{{.Name}} \- {{.What}}
.SH SYNOPSIS
{{plain .Usage}}
.SH COMMANDS
{{range .Commands}}.TP
.B {{plain .Usage}}
{{plain .What}}
{{with .Options}}.RS
{{template "options" .}}.RE
{{end}}{{end}}{{with .Options}}.SH OPTIONS
Most commands take:
{{template "options" .}}{{end}}.SH EXIT STATUS
{{plain .Exit}}
.SH SEE ALSO
The folder
.I /usr/share/doc/{{.Name}}
and the manual, which
.B anagrafe\-collector guide
writes.
`))
