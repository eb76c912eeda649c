package cameratest

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Where a conversation comes from; see Conversation.Source.
const (
	Recorded    = "recorded"
	HandWritten = "hand-written"
)

// A Conversation is all that one device was heard to say, or what we wrote for
// it to say. It is not changed by the devices that play it, so that several may.
type Conversation struct {
	// Name is the folder it was read from, without its path.
	Name string
	// Source is Recorded or HandWritten.
	Source string
	// Maker, Model, Firmware are those of its GetDeviceInformation, "" where
	// that was refused.
	Maker, Model, Firmware string
	// Answers are in the order of the recording.
	Answers []Answer
	// Defaults hold what the device announces (endpoint, scopes), and for a
	// hand-written one how it behaves. Start uses them for every field that its
	// own Options leave at zero.
	Defaults Options

	zone     *time.Location // of the wall clock; nil keeps the recorded difference from UTC
	envelope string         // prefix of the SOAP namespace in the envelopes that we make
	web      *website       // its own web interface; nil without one
	bad      error          // why it cannot be played
}

// An Answer is one recorded answer.
type Answer struct {
	// File is the answer's file, relative to the conversation's folder.
	File string
	// Path is the URL path of the recorded request, with its leading slash; ""
	// where it is not known.
	Path string
	// Namespace and Operation name the first element of the request's SOAP body.
	Namespace, Operation string
	// Asked holds the texts of the request's elements by local name. Those
	// whose name ends in Token must be equal in a request for this answer to be
	// given; the others only decide between several that fit. Nil fits any request.
	Asked map[string][]string
	// Exact demands that everything in Asked is equal, not the tokens alone.
	Exact bool
	// Status is the HTTP status, Body the raw body.
	Status int
	Body   []byte
}

// endpointNamespace makes endpoint references for conversations without one:
// the same name always gives the same reference.
var endpointNamespace = uuid.MustParse("7b1d2c0e-5f0a-4f0e-9a51-3c2f6d6f7a10")

// complete fills in what is derived from the answers: who made the device, its
// scopes and its endpoint reference.
func (c *Conversation) complete() error {
	if len(c.Answers) == 0 && c.web == nil {
		return fmt.Errorf("%s: no answers in this folder", c.Name)
	}
	for _, a := range c.Answers {
		if a.Status != 200 {
			continue
		}
		switch a.Operation {
		case "GetDeviceInformation":
			c.Maker = first(texts(a.Body, "Manufacturer"))
			c.Model = first(texts(a.Body, "Model"))
			c.Firmware = first(texts(a.Body, "FirmwareVersion"))
		case "GetScopes":
			if c.Defaults.Scopes == nil {
				c.Defaults.Scopes = texts(a.Body, "ScopeItem")
			}
		case "GetEndpointReference":
			if g := first(texts(a.Body, "GUID")); c.Defaults.Endpoint == "" && strings.HasPrefix(g, "urn:uuid:") {
				c.Defaults.Endpoint = g
			}
		}
	}
	if c.Defaults.Endpoint == "" {
		c.Defaults.Endpoint = "urn:uuid:" + uuid.NewSHA1(endpointNamespace, []byte(c.Name)).String()
	}
	if c.Defaults.Types == nil {
		c.Defaults.Types = []string{"dn:NetworkVideoTransmitter", "tds:Device"}
	}
	return nil
}

// paths are those that the device itself named, in requests that it answered
// and in the XAddrs of its answers.
func (c *Conversation) paths() map[string]bool {
	known := map[string]bool{"/onvif/device_service": true}
	for _, a := range c.Answers {
		if a.Path != "" {
			known[a.Path] = true
		}
		for _, x := range texts(a.Body, "XAddr") {
			if u, err := url.Parse(x); err == nil && u.Path != "" {
				known[u.Path] = true
			}
		}
	}
	return known
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}
