package cameratest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
)

// probe is a WS-Discovery probe: its message id, and the local names of the
// types it asks for, those of a foreign namespace in the form {namespace}name.
type probe struct {
	id    string
	types []string
}

var errNoProbe = errors.New("not a WS-Discovery probe")

// readProbe reads a datagram. The prefixes of types are resolved by the
// namespaces declared anywhere above them.
func readProbe(b []byte) (probe, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	declared := map[string]string{}
	var p probe
	var path []string
	found := false
	for {
		t, err := d.Token()
		if err != nil {
			if found && p.id != "" {
				return p, nil
			}
			return probe{}, errNoProbe
		}
		switch t := t.(type) {
		case xml.StartElement:
			for _, a := range t.Attr {
				if a.Name.Space == "xmlns" {
					declared[a.Name.Local] = a.Value
				}
			}
			path = append(path, t.Name.Local)
			found = found || len(path) == 3 && t.Name.Local == "Probe" && t.Name.Space == nsDiscovery
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			switch strings.Join(path, "/") {
			case "Envelope/Header/MessageID":
				p.id = strings.TrimSpace(string(t))
			case "Envelope/Body/Probe/Types":
				for _, name := range strings.Fields(string(t)) {
					p.types = append(p.types, typeName(name, declared))
				}
			}
		}
	}
}

// typeName gives NetworkVideoTransmitter and Device of their own namespaces by
// name alone, any other with its namespace.
func typeName(qname string, declared map[string]string) string {
	prefix, name, ok := strings.Cut(qname, ":")
	if !ok {
		return "{}" + qname
	}
	switch space := declared[prefix]; {
	case space == nsNetwork && name == ProbeNVT, space == nsDevice && name == ProbeDevice:
		return name
	default:
		return "{" + space + "}" + name
	}
}
