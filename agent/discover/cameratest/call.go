package cameratest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// A call is what a request's envelope says.
type call struct {
	soap                 string // namespace of the envelope
	namespace, operation string
	asked                map[string][]string
	token                *usernameToken
}

// usernameToken is a wsse:UsernameToken as it stands in a request.
type usernameToken struct {
	user, passwordType, password, nonce, created string
}

var errNoOperation = errors.New("the SOAP body holds no operation")

// readCall reads a request's envelope. Elements are known by their local names.
func readCall(envelope []byte) (call, error) {
	d := xml.NewDecoder(bytes.NewReader(envelope))
	var c call
	var path []xml.Name
	for {
		t, err := d.Token()
		if err != nil {
			if c.operation != "" && errors.Is(err, io.EOF) {
				return c, nil
			}
			if errors.Is(err, io.EOF) {
				return call{}, errNoOperation
			}
			return call{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name)
			if len(path) == 1 {
				c.soap = t.Name.Space
			}
			if len(path) == 3 && path[1].Local == "Body" && c.operation == "" {
				c.namespace, c.operation, c.asked = t.Name.Space, t.Name.Local, map[string][]string{}
			}
			if t.Name.Local == "UsernameToken" && len(path) > 1 && path[1].Local == "Header" {
				c.token = &usernameToken{}
			}
			if t.Name.Local == "Password" && c.token != nil {
				for _, a := range t.Attr {
					if a.Name.Local == "Type" {
						c.token.passwordType = a.Value
					}
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(t))
			if text == "" || len(path) < 3 {
				continue
			}
			name := path[len(path)-1].Local
			if path[1].Local == "Body" {
				c.asked[name] = append(c.asked[name], text)
			} else if c.token != nil {
				c.token.set(name, text)
			}
		}
	}
}

func (t *usernameToken) set(name, text string) {
	switch name {
	case "Username":
		t.user = text
	case "Password":
		t.password = text
	case "Nonce":
		t.nonce = text
	case "Created":
		t.created = text
	}
}
