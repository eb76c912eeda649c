package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

const pinPrefix = "sha256:"

// linkHost is a host and perhaps a port as they stand in a link.
var linkHost = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)

// EnrolmentPath is where an enrolment link leads a browser.
const EnrolmentPath = "/enrol"

// Link is an enrolment link: https://HOST:PORT/enrol#code=...&pin=... What
// follows the # never leaves a browser that opens it.
type Link struct {
	Collector string // https://host:port
	Code      Code
	Pin       string // PinOf the private CA's key; "" for the public Web PKI
}

// PinOf is the pin of a key: "sha256:" + unpadded base64url of the SHA-256 of
// its SubjectPublicKeyInfo (x509.Certificate.RawSubjectPublicKeyInfo).
func PinOf(spki []byte) string {
	sum := sha256.Sum256(spki)
	return pinPrefix + base64.RawURLEncoding.EncodeToString(sum[:])
}

// ParseLink reads a link. Its errors wrap errCode and never repeat the code.
func ParseLink(s string) (Link, error) {
	s = strings.TrimSpace(s)
	if len(s) > 1024 {
		return Link{}, fmt.Errorf("%w: the link is too long", errCode)
	}
	u, err := url.Parse(s)
	if err != nil { // url's error would repeat the link
		return Link{}, fmt.Errorf("%w: the link is not a web address", errCode)
	}
	if u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Path != EnrolmentPath || !validHost(u.Host) {
		return Link{}, fmt.Errorf("%w: a link reads https://HOST:PORT/enrol#code=CODE", errCode)
	}
	values, err := url.ParseQuery(u.EscapedFragment())
	if err != nil || len(values["code"]) != 1 || len(values["pin"]) > 1 {
		return Link{}, fmt.Errorf("%w: the part after # must hold one code, and one pin at most", errCode)
	}
	code, err := ParseCode(values.Get("code"))
	if err != nil {
		return Link{}, err
	}
	l := Link{Collector: "https://" + strings.ToLower(u.Host), Code: code, Pin: values.Get("pin")}
	if values.Has("pin") && !validPin(l.Pin) {
		return Link{}, fmt.Errorf("%w: the pin of the link is damaged; copy the whole link again", errCode)
	}
	return l, nil
}

func (l Link) String() string {
	s := l.Collector + EnrolmentPath + "#code=" + l.Code.String()
	if l.Pin != "" {
		s += "&pin=" + l.Pin
	}
	return s
}

func validHost(host string) bool {
	m := linkHost.FindStringSubmatch(host)
	if m == nil {
		return false
	}
	if m[3] == "" {
		return true
	}
	port, err := strconv.Atoi(m[3][1:])
	return err == nil && port >= 1 && port <= 65535
}

func validPin(pin string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimPrefix(pin, pinPrefix))
	return err == nil && len(b) == sha256.Size && strings.HasPrefix(pin, pinPrefix)
}
