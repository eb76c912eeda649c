package cameratest

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// written is the pattern of the sentinels in hand-written answers.
var written = regexp.MustCompile(`SENTINEL-[A-Za-z0-9_-]+`)

// macLike finds MAC addresses with colons or hyphens.
var macLike = regexp.MustCompile(`(?i)\b[0-9a-f]{2}([:-][0-9a-f]{2}){5}\b`)

// Sentinels are all texts of these devices that must never leave the site: their
// network addresses, serial numbers, MAC addresses (in the usual spellings),
// endpoint references, stream addresses, on-screen texts, passwords, and every
// SENTINEL-... of hand-written ones. A test of what leaves looks for each of
// them. Texts too short to be told from others are left out.
func Sentinels(devices ...*Device) []string {
	found := map[string]bool{}
	add := func(texts ...string) {
		for _, t := range texts {
			if len(t) >= 6 {
				found[t] = true
			}
		}
	}
	for _, d := range devices {
		add(d.c.sentinels()...)
		add(d.webSentinels()...)
		add(d.o.Endpoint, strings.TrimPrefix(d.o.Endpoint, "urn:uuid:"), d.o.Password, d.address.String())
		if d.address.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
			add(d.address.Addr().String())
		}
		add(written.FindAllString(strings.Join(d.o.Scopes, " "), -1)...)
	}
	return sorted(found)
}

// sentinels are the texts in this conversation's answers that must never leave
// the site; see the function of the same name.
func (c *Conversation) sentinels() []string {
	found := map[string]bool{}
	if c.web != nil {
		for _, b := range c.web.bodies {
			addWritten(found, b.content)
		}
	}
	for _, a := range c.Answers {
		addWritten(found, a.Body)
		edit(a.Body, func(path []string, text string) (string, bool) {
			if len(path) > 0 {
				addSecret(found, path[len(path)-1], strings.TrimSpace(text))
			}
			return "", false
		})
	}
	for _, told := range []string{c.Maker, c.Model} { // some write their model on the picture
		delete(found, told)
	}
	return sorted(found)
}

// addWritten adds what is a sentinel by its form, wherever it stands.
func addWritten(found map[string]bool, body []byte) {
	for _, t := range written.FindAllString(string(body), -1) {
		found[t] = true
	}
	for _, mac := range macLike.FindAllString(string(body), -1) {
		addMAC(found, mac)
	}
}

// webSentinels are those of the web interface as it is now, its sessions too.
func (d *Device) webSentinels() []string {
	if d.web == nil {
		return nil
	}
	d.web.mu.Lock()
	defer d.web.mu.Unlock()
	found := map[string]bool{}
	for _, b := range d.web.bodies {
		addWritten(found, b.content)
	}
	for session := range d.web.sessions {
		found[session] = true
	}
	return sorted(found)
}

// addSecret adds the text of an element if it is one that never leaves.
func addSecret(found map[string]bool, element, text string) {
	if len(text) < 6 {
		return
	}
	switch element {
	case "SerialNumber", "HwAddress", "PlainText":
		found[text] = true
	case "GUID", "SourceId": // that of a camera behind a recorder
		if element == "SourceId" && !strings.HasPrefix(text, "urn:uuid:") {
			return
		}
		found[strings.TrimPrefix(text, "urn:uuid:")] = true
	case "Uri", "XAddr", "StreamUri":
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			found[text] = true
			addAddress(found, u.Hostname())
		}
	case "Address", "IPv4Address", "IPv6Address":
		addAddress(found, text)
		if u, err := url.Parse(text); err == nil && u.Host != "" { // of a camera behind a recorder
			found[text] = true
			addAddress(found, u.Hostname())
		}
	}
}

// addAddress adds an address that some device could have.
func addAddress(found map[string]bool, text string) {
	a, err := netip.ParseAddr(text)
	if err == nil && len(text) >= 6 && !a.IsUnspecified() && !a.IsLoopback() && !a.IsMulticast() {
		found[text] = true
	}
}

// addMAC adds the spellings of a MAC address.
func addMAC(found map[string]bool, mac string) {
	hex := strings.ToLower(strings.NewReplacer(":", "", "-", "").Replace(mac))
	if strings.Trim(hex, "0") == "" || strings.Trim(hex, "f") == "" {
		return
	}
	for _, separator := range []string{"", ":", "-"} {
		pairs := make([]string, 0, 6)
		for i := 0; i < len(hex); i += 2 {
			pairs = append(pairs, hex[i:i+2])
		}
		s := strings.Join(pairs, separator)
		found[s], found[strings.ToUpper(s)] = true, true
	}
}

func sorted(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for t := range set {
		list = append(list, t)
	}
	slices.Sort(list)
	return list
}
