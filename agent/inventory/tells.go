package inventory

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Shapes that no text of a message may hold, whatever device they belong to.
var (
	shapeAddress = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)
	shapeMAC     = regexp.MustCompile(`(?i)\b[0-9a-f]{2}([:-][0-9a-f]{2}){5}\b`)
	shapeUUID    = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	shapeURL     = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://`)
)

// Tells says whether text has the shape of an address, an endpoint or a stream.
func Tells(text string) bool { return tells(text, nil) }

// tells says whether text gives away a network address, MAC, serial number,
// endpoint reference or stream address: makers put them into names and tokens,
// and none may leave the site.
func tells(text string, d *device) bool {
	if shapeAddress.MatchString(text) || shapeMAC.MatchString(text) || shapeUUID.MatchString(text) || shapeURL.MatchString(text) {
		return true
	}
	if d == nil {
		return false
	}
	if at, err := netip.ParseAddrPort(d.address); err == nil && at.Addr().Is6() && strings.Contains(strings.ToLower(text), at.Addr().WithZone("").String()) {
		return true
	}
	bare, serial := lettersAndDigits(text), d.serial
	if fold(serial) == fold(d.model) { // that tells nothing, and every name may hold it
		serial = ""
	}
	for _, secret := range append([]string{serial, strings.TrimPrefix(d.endpoint, "urn:uuid:")}, d.macs...) {
		if secret = lettersAndDigits(secret); len(secret) >= 5 && strings.Contains(bare, secret) {
			return true
		}
	}
	return false
}

// tells says whether text gives away the recorder of c, or the camera itself as
// it is known in any other way.
func (c *camera) tells(text string) bool {
	if tells(text, c.device) {
		return true
	}
	if b := c.behind; b != nil && tells(text, &device{serial: b.Serial, macs: b.MACs, endpoint: b.Endpoint, address: b.Address}) {
		return true
	}
	return slices.ContainsFunc(c.paths, func(p *way) bool { return tells(text, p.device) })
}

// safe is text, or "" when it tells.
func (c *camera) safe(text string) string {
	if c.tells(text) {
		return ""
	}
	return text
}

// lettersAndDigits leaves letters and digits, so that separators hide nothing.
func lettersAndDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// safe is text, or "" when it tells.
func safe(text string, d *device) string {
	if tells(text, d) {
		return ""
	}
	return text
}
