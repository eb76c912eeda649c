package cameratest

import (
	"bytes"
	"fmt"
	"net/url"
	"text/template"
	"time"
)

// filling is what a template of a web interface is filled with.
type filling struct {
	now  time.Time // by the device's clock
	zone *time.Location
	host string // address:port
	// query is the request's own, nil where the reply is no answer to a listed one.
	query url.Values
	// Session is the request's own, "" without one.
	Session string
}

// functions of the templates. Each takes how long from now, a Go duration.
func (f filling) functions() template.FuncMap {
	at := func(ago string) (time.Time, error) {
		d, err := time.ParseDuration(ago)
		return f.now.Add(d), err
	}
	return template.FuncMap{
		"utc": func(ago, layout string) (string, error) {
			t, err := at(ago)
			return t.UTC().Format(layout), err
		},
		"wall": func(ago, layout string) (string, error) {
			t, err := at(ago)
			return t.In(f.zone).Format(layout), err
		},
		"epoch": func(ago string) (int64, error) {
			t, err := at(ago)
			return t.Unix(), err
		},
		"epochms": func(ago string) (int64, error) {
			t, err := at(ago)
			return t.UnixMilli(), err
		},
		"host":  func() string { return f.host },
		"query": f.query.Get,
	}
}

// fill executes a template.
func (f filling) fill(name, text string) ([]byte, error) {
	t, err := template.New(name).Funcs(f.functions()).Option("missingkey=error").Parse(text)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, f); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// checkTemplate fills a template for nobody, to find what is wrong with it
// before a device plays it.
func checkTemplate(name, text string) error {
	if _, err := (filling{now: time.Unix(0, 0), zone: time.UTC}).fill(name, text); err != nil {
		return fmt.Errorf("no template: %w", err)
	}
	return nil
}
