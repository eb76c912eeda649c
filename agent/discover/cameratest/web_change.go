package cameratest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// has reports whether the interface has a file of that name.
func (w *website) has(name string) bool {
	if w == nil {
		return false
	}
	_, have := w.bodies[name]
	return have
}

// Sessions counts the logins that this device's web interface accepted, and
// those of them that were not logged out.
func (d *Device) Sessions() (opened, open int) {
	if d.web == nil {
		return 0, 0
	}
	d.web.mu.Lock()
	defer d.web.mu.Unlock()
	for _, alive := range d.web.sessions {
		opened++
		if alive {
			open++
		}
	}
	return opened, open
}

// Change puts other content into a file of the web interface, from the next
// answer on: a template, as in the folder. The file must be one that web.json
// names.
func (d *Device) Change(file string, content []byte) error {
	if !d.c.web.has(file) {
		return fmt.Errorf("change %s of %s: its web.json names no such file", file, d.o.Name)
	}
	if err := checkTemplate(file, string(content)); err != nil {
		return fmt.Errorf("change %s of %s: %w", file, d.o.Name, err)
	}
	d.web.mu.Lock()
	defer d.web.mu.Unlock()
	d.web.bodies[file] = webBody{content: bytes.Clone(content)}
	return nil
}

// Replacing is a copy of the conversation in which the files of its web
// interface that are named here have this content, as it is and no template.
// Start refuses a copy in which a file is named that web.json does not name.
func (c *Conversation) Replacing(answers map[string][]byte) *Conversation {
	other := *c
	if c.web != nil {
		other.web = &website{file: c.web.file, bodies: maps.Clone(c.web.bodies)}
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if !other.web.has(name) {
			unknown = append(unknown, name)
			continue
		}
		other.web.bodies[name] = webBody{content: bytes.Clone(answers[name]), verbatim: true}
	}
	if unknown != nil {
		other.bad = fmt.Errorf("its web.json names no file %s, which was to be replaced", strings.Join(unknown, ", "))
	}
	return &other
}
