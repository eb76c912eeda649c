package discover

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// dhdiscoverGroup is where Dahua's own search asks.
var dhdiscoverGroup = netip.MustParseAddrPort("239.255.255.251:37810")

const dhipHeader = 32

// dhdiscover is the dialect of Dahua's search, as several independent clients
// show it that were tried on devices (rroller/dahua discovery.py: VTO2000A,
// DHI-NVR5464, VTH5221D; UniversalScanner): JSON behind 32 bytes, which are the
// header's length (uint32, little endian like all), "DHIP", 8 bytes of zero, and
// twice the length of the JSON (uint64). Bare JSON gets no answer. The answer
// comes to the sender, with the JSON behind a header of its own; it names no
// question, so whoever hears the search can answer it.
type dhdiscover struct{}

func (dhdiscover) questions() [][]byte {
	const body = `{"method":"DHDiscover.search","params":{"mac":"","uni":1}}`
	packet := make([]byte, 0, dhipHeader+len(body))
	packet = binary.LittleEndian.AppendUint32(packet, dhipHeader)
	packet = append(packet, "DHIP\x00\x00\x00\x00\x00\x00\x00\x00"...)
	packet = binary.LittleEndian.AppendUint64(packet, uint64(len(body)))
	packet = binary.LittleEndian.AppendUint64(packet, uint64(len(body)))
	return [][]byte{append(packet, body...)}
}

type dhAnswer struct {
	Method string `json:"method"`
	MAC    string `json:"mac"`
	Params struct {
		Info struct {
			DeviceType   string
			SerialNo     string
			Vendor       string
			Manufacturer string
			HTTPPort     json.RawMessage `json:"HttpPort"` // number, in some firmware text
		} `json:"deviceInfo"`
	} `json:"params"`
}

func (dhdiscover) read(datagram []byte, from netip.Addr) ([]Sighting, error) {
	s, err := readDHDiscover(datagram, from)
	if err != nil {
		return nil, err
	}
	return []Sighting{s}, nil
}

// readDHDiscover reads one datagram. The address in it is not read: it may be any.
func readDHDiscover(datagram []byte, from netip.Addr) (Sighting, error) {
	start := bytes.IndexByte(datagram, '{')
	if len(datagram) < dhipHeader || string(datagram[4:8]) != "DHIP" || start < 0 {
		return Sighting{}, errOtherMessage
	}
	var a dhAnswer
	// A decoder, for what follows the object: line ends and zero bytes.
	if err := json.NewDecoder(bytes.NewReader(datagram[start:])).Decode(&a); err != nil {
		return Sighting{}, fmt.Errorf("read json: %w", err)
	}
	info := a.Params.Info
	if a.Method != "client.notifyDevInfo" || info.DeviceType == "" && info.SerialNo == "" {
		return Sighting{}, errOtherMessage
	}
	return Sighting{
		Address: netip.AddrPortFrom(from, portOr(strings.Trim(string(info.HTTPPort), `"`), defaultPort)),
		Methods: []Method{MethodDHDiscover},
		Vendor:  text(cmp.Or(info.Vendor, info.Manufacturer)), Model: text(info.DeviceType),
		Serial: text(info.SerialNo), MAC: text(a.MAC),
	}, nil
}

// portOr reads a port number, or gives def where there is none.
func portOr(s string, def uint16) uint16 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 16)
	if err != nil || n == 0 {
		return def
	}
	return uint16(n)
}
