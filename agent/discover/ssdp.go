package discover

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// ssdpGroup is UPnP's. Cameras and recorders answer there, and so do
// televisions: the description behind an answer tells which it is.
var ssdpGroup = netip.MustParseAddrPort("239.255.255.250:1900")

// Limits of a fetch: one description of a host, from that host alone, without
// following redirects.
const (
	maxDescription  = 64 << 10
	maxDescriptions = 256 // in one scan
	ssdpFetchers    = 8
	fetchTimeout    = 2 * time.Second
)

// ssdp is the dialect of UPnP's search (UPnP Device Architecture 1.1, section
// 1.3). An answer only points to a description, so read gives nothing at once.
type ssdp struct {
	descriptions chan location
	mu           sync.Mutex
	seen         map[netip.Addr]bool // hosts whose description was asked for
}

// location is where a host that answered keeps its description.
type location struct {
	host netip.Addr
	url  *url.URL
}

func newSSDP() *ssdp {
	return &ssdp{descriptions: make(chan location, maxDescriptions), seen: map[netip.Addr]bool{}}
}

func (*ssdp) questions() [][]byte {
	return [][]byte{[]byte("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n")}
}

// readSSDP reads one datagram: where the host that answered keeps its description.
// A location on another host is an error.
func readSSDP(datagram []byte, from netip.Addr) (*url.URL, error) {
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(datagram)), nil)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	r.Body.Close()
	u, port, ok := parseXAddr(r.Header.Get("Location"))
	switch {
	case r.StatusCode != http.StatusOK || !ok || u.Scheme != "http" || len(u.String()) > maxText:
		return nil, errOtherMessage
	case !namesHost(u.String(), from):
		return nil, errors.New("its description is said to be on another host")
	}
	u.User, u.Fragment = nil, ""
	u.Host = netip.AddrPortFrom(from, port).String()
	return u, nil
}

func (d *ssdp) read(datagram []byte, from netip.Addr) ([]Sighting, error) {
	u, err := readSSDP(datagram, from)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[from] || len(d.seen) == maxDescriptions {
		return nil, nil
	}
	d.seen[from] = true
	d.descriptions <- location{host: from, url: u} // one a host at most: there is room
	return nil, nil
}

// descriptionClient talks to the host that it is told to, directly, and to no
// other that this one names.
func descriptionClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{ // without a proxy
			DialContext:            (&net.Dialer{Timeout: fetchTimeout}).DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		Timeout:       fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetch reads descriptions until ctx ends, and hands over the devices of interest.
func (d *ssdp) fetch(ctx context.Context, on []link, found chan<- Sighting, log *slog.Logger) {
	client := descriptionClient()
	var fetchers sync.WaitGroup
	for range ssdpFetchers {
		fetchers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case l := <-d.descriptions:
					s, err := describe(ctx, client, l)
					if err != nil {
						log.Debug("description not read", "host", l.host, "err", err)
						continue
					}
					if at, ok := linkOf(on, l.host); ok {
						s.Interface = at.Name
					}
					select {
					case found <- s:
					case <-ctx.Done():
					}
				}
			}
		})
	}
	fetchers.Wait()
}

// description is what is read of a device's description.
type description struct {
	Type         string `xml:"device>deviceType"`
	Name         string `xml:"device>friendlyName"`
	Manufacturer string `xml:"device>manufacturer"`
	Model        string `xml:"device>modelName"`
	About        string `xml:"device>modelDescription"`
	Serial       string `xml:"device>serialNumber"`
	Page         string `xml:"device>presentationURL"`
}

var errNotOfInterest = errors.New("it is neither a camera nor a recorder")

func describe(ctx context.Context, client *http.Client, l location) (Sighting, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url.String(), nil)
	if err != nil {
		return Sighting{}, fmt.Errorf("ask for the description: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return Sighting{}, fmt.Errorf("ask for the description: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Sighting{}, fmt.Errorf("ask for the description: %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxDescription))
	if err != nil {
		return Sighting{}, fmt.Errorf("read the description: %w", err)
	}
	return readDescription(data, l.host)
}

// readDescription returns the device, with the port of its page if that is on its
// own host.
func readDescription(data []byte, host netip.Addr) (Sighting, error) {
	var d description
	if err := Unmarshal(data, &d); err != nil {
		return Sighting{}, err
	}
	if !d.ofInterest() {
		return Sighting{}, errNotOfInterest
	}
	port := uint16(defaultPort)
	if u, p, ok := parseXAddr(strings.TrimSpace(d.Page)); ok && u.Scheme == "http" && namesHost(u.String(), host) {
		port = p
	}
	return Sighting{
		Address: netip.AddrPortFrom(host, port),
		Methods: []Method{MethodSSDP},
		Vendor:  text(d.Manufacturer), Model: text(d.Model), Serial: text(d.Serial),
		At: time.Now(),
	}, nil
}

// cameraWords are makers of cameras and recorders, and what others call theirs.
// AXIS, Synology and Ubiquiti are known to describe themselves so from Home
// Assistant's integrations; DigitalSecurityCamera is UPnP's own device type.
var cameraWords = [...]string{
	"axis", "synology", "ubiquiti", "hikvision", "dahua", "uniview", "bosch", "hanwha", "vivotek", "mobotix", "reolink", "avigilon", "pelco", "qnap",
	"digitalsecuritycamera", "camera", "network video", "nvr", "dvr",
}

func (d description) ofInterest() bool {
	all := strings.ToLower(strings.Join([]string{d.Type, d.Name, d.Manufacturer, d.Model, d.About}, "\n"))
	for _, w := range cameraWords {
		for rest := all; ; {
			i := strings.Index(rest, w)
			if i < 0 {
				break
			}
			if wordAt(rest, i, len(w)) {
				return true
			}
			rest = rest[i+len(w):]
		}
	}
	return false
}

// wordAt reports whether the n bytes at i are not the inside of a longer word; a
// plural or a number may follow.
func wordAt(s string, i, n int) bool {
	letter := func(b byte) bool { return b >= 'a' && b <= 'z' }
	return (i == 0 || !letter(s[i-1])) && (i+n == len(s) || !letter(s[i+n]) || s[i+n] == 's')
}
