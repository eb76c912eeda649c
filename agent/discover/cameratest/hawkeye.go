package cameratest

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// services are the folders of the hawkeye64 collection and their namespaces.
var services = map[string]string{
	"core":      nsDevice,
	"media":     nsMedia,
	"ptz":       "http://www.onvif.org/ver20/ptz/wsdl",
	"events":    "http://www.onvif.org/ver10/events/wsdl",
	"analytics": "http://www.onvif.org/ver20/analytics/wsdl",
}

// LoadHawkeye reads a camera of the hawkeye64 collection, in the layout
// core|media|ptz|events|analytics/Operation.Response.xml or .Error.xml.
//
// The collection has no statuses: a Response is given 200, a fault what SOAP
// 1.2 asks for (400 if the sender is at fault, else 500). It has no requests
// either: where one operation has an answer and a fault, the answer is given,
// except for GetServices of the HIKVISION DS-2DF7276-AEL V5.1.6 and the TRENDnet
// TV-IP320PI V5.3.4, which refuse it with ter:InvalidParameter unless
// IncludeCapability is true (their answers hold the capabilities).
func LoadHawkeye(dir string) (*Conversation, error) {
	c := &Conversation{Name: "hawkeye64-" + filepath.Base(dir), Source: Recorded}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(name, ".xml") {
			return err
		}
		operation, isError := strings.CutSuffix(e.Name(), ".Error.xml")
		if !isError {
			operation = strings.TrimSuffix(e.Name(), ".Response.xml")
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		body, err := readFile(name)
		if err != nil {
			return err
		}
		a := Answer{File: filepath.ToSlash(rel), Namespace: services[filepath.Base(filepath.Dir(name))], Operation: operation, Status: 200, Body: body}
		if a.Namespace == "" {
			return fmt.Errorf("%s: not in one of the folders core, media, ptz, events, analytics", rel)
		}
		if isError {
			a.Status = faultStatus(body)
		}
		c.Answers = append(c.Answers, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load hawkeye64 camera: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "core", "GetServices.Error.xml")); err == nil {
		for i, a := range c.Answers {
			if a.Operation == "GetServices" && a.Status == 200 {
				c.Answers[i].Asked, c.Answers[i].Exact = map[string][]string{"IncludeCapability": {"true"}}, true
			}
		}
	}
	preferAnswers(c.Answers)
	if err := c.complete(); err != nil {
		return nil, fmt.Errorf("load hawkeye64 camera: %w", err)
	}
	return c, nil
}

// faultStatus is the HTTP status that SOAP 1.2 binds to a fault's code.
func faultStatus(body []byte) int {
	if strings.HasSuffix(first(texts(body, "Value")), "Sender") {
		return 400
	}
	return 500
}

// preferAnswers puts answers before faults: of several that fit equally well the
// first is given.
func preferAnswers(answers []Answer) {
	slices.SortStableFunc(answers, func(a, b Answer) int {
		return cmp.Compare(min(a.Status, 201), min(b.Status, 201))
	})
}
