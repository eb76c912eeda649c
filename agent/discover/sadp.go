package discover

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/google/uuid"
	"golang.org/x/net/ipv4"
)

// sadpGroup is where Hikvision's own search asks. Its recorders have ONVIF off
// by default, and answer here.
var sadpGroup = netip.MustParseAddrPort("239.255.255.250:37020")

// sadp is the dialect of Hikvision's "search active devices protocol" in XML over
// UDP, as its clients and a published capture of a DS-7804HQH-K1 show it
// (mhzhuji.com/zhuji_info_958): the question is
//
//	<Probe><Uuid>UPPER-CASE</Uuid><Types>inquiry</Types></Probe>
//
// and the answer a ProbeMatch with the same Uuid. Newer firmware answers to the
// sender, older to the group, hence listenForSADP. The other verbs of the
// protocol change the device, and have no place here.
type sadp struct {
	mu    sync.Mutex
	asked map[string]bool // upper-case UUIDs
}

func (d *sadp) questions() [][]byte {
	id := strings.ToUpper(uuid.NewString())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked == nil {
		d.asked = map[string]bool{}
	}
	d.asked[id] = true
	return [][]byte{fmt.Appendf(nil, `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>%s</Uuid><Types>inquiry</Types></Probe>`, id)}
}

// sadpMatch is what is read of an answer; the salt and what concerns the
// password is not.
type sadpMatch struct {
	XMLName xml.Name `xml:"ProbeMatch"`
	UUID    string   `xml:"Uuid"`
	Types   string   `xml:"Types"`
	Model   string   `xml:"DeviceDescription"`
	Serial  string   `xml:"DeviceSN"`
	MAC     string   `xml:"MAC"`
	Port    string   `xml:"HttpPort"`
}

var errOtherMessage = errors.New("another message of this protocol")

// readSADP reads one datagram: the upper-case id of its question, and the device
// on that host. The address in the message is not read: it may be any.
func readSADP(datagram []byte, from netip.Addr) (id string, s Sighting, err error) {
	var m sadpMatch
	if _, err := unmarshal(datagram, &m, known); err != nil {
		return "", Sighting{}, err
	}
	if !strings.EqualFold(strings.TrimSpace(m.Types), "inquiry") {
		return "", Sighting{}, errOtherMessage
	}
	return strings.ToUpper(strings.TrimSpace(m.UUID)), Sighting{
		Address: netip.AddrPortFrom(from, portOr(m.Port, defaultPort)),
		Methods: []Method{MethodSADP},
		Model:   text(m.Model), Serial: text(m.Serial), MAC: text(m.MAC), // the brand on it is the seller's: not told
	}, nil
}

func (d *sadp) read(datagram []byte, from netip.Addr) ([]Sighting, error) {
	id, s, err := readSADP(datagram, from)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.asked[id] {
		return nil, errNotAsked
	}
	return []Sighting{s}, nil
}

// groupSocket opens a socket that hears a group on all links. Such ports are
// shared: other programs on this machine may hear the same.
func groupSocket(on []link, group netip.AddrPort) (*net.UDPConn, error) {
	var conn *net.UDPConn
	var errs []error
	for _, l := range on {
		if len(l.four()) == 0 {
			continue
		}
		if conn == nil {
			c, err := net.ListenMulticastUDP("udp4", &l.Interface, net.UDPAddrFromAddrPort(group))
			if err != nil {
				errs = append(errs, fmt.Errorf("hear %s on %s: %w", group, l.Name, err))
				continue
			}
			conn = c
			continue
		}
		if err := ipv4.NewPacketConn(conn).JoinGroup(&l.Interface, net.UDPAddrFromAddrPort(group)); err != nil {
			errs = append(errs, fmt.Errorf("hear %s on %s: %w", group, l.Name, err))
		}
	}
	if conn == nil {
		return nil, errors.Join(errs...)
	}
	return conn, nil
}
