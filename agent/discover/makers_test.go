package discover

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/grandcat/zeroconf"
)

// sadpAnswer has the elements of a real recorder's answer, with other values.
func sadpAnswer(id, port string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8" ?>
<ProbeMatch>
<Uuid>%s</Uuid><Types>inquiry</Types><Encrypt>true</Encrypt><Salt>00</Salt><DeviceType>1</DeviceType>
<DeviceDescription>DS-TEST-8</DeviceDescription><DeviceSN>DS-TEST-8000000001</DeviceSN><CommandPort>8000</CommandPort><HttpPort>%s</HttpPort>
<MAC>02-5e-47-00-00-01</MAC><IPv4Address>203.0.113.9</IPv4Address><DHCP>false</DHCP><Activated>true</Activated>
</ProbeMatch>`, id, port)
}

func dhAnswerText(info string) string {
	body := `{"mac":"02:5e:47:00:00:02","method":"client.notifyDevInfo","params":{"deviceInfo":{` + info + `}}}` + "\n\x00"
	head := binary.LittleEndian.AppendUint32(nil, dhipHeader)
	head = append(head, "DHIP\x00\x00\x00\x00\x00\x00\x00\x00"...)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(body)))
	return string(binary.LittleEndian.AppendUint64(head, uint64(len(body)))) + body
}

const dhInfo = `"DeviceClass":"NVR","DeviceType":"NVR-TEST","HttpPort":8081,"IPv4Address":{"IPAddress":"203.0.113.9"},"SerialNo":"TEST000001","Vendor":"Dahua"`

func ssdpAnswer(location string) string {
	return "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=1800\r\nST: upnp:rootdevice\r\nUSN: uuid:1::upnp:rootdevice\r\nEXT:\r\nLOCATION: " + location + "\r\n\r\n"
}

func upnpDescription(manufacturer, model, page string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major></specVersion><device>
<deviceType>urn:schemas-upnp-org:device:Basic:1</deviceType><friendlyName>Ingresso</friendlyName><manufacturer>%s</manufacturer>
<modelName>%s</modelName><presentationURL>%s</presentationURL></device></root>`, manufacturer, model, page)
}

var testHost = netip.MustParseAddr("10.0.0.7")

func TestReadSADP(t *testing.T) {
	id, s, err := readSADP([]byte(sadpAnswer("abc", "8080")), testHost)
	if err != nil || id != "ABC" || s.Address.String() != "10.0.0.7:8080" || s.Model != "DS-TEST-8" || s.Serial != "DS-TEST-8000000001" || s.MAC != "02-5e-47-00-00-01" {
		t.Errorf("%q %+v %v", id, s, err)
	}
	if _, s, err := readSADP([]byte(sadpAnswer("abc", "none")), testHost); err != nil || s.Address.Port() != 80 {
		t.Errorf("without a port: %+v, %v", s, err)
	}
	for name, d := range map[string]string{
		"empty": "", "text": "hello", "a question": string((&sadp{}).questions()[0]), "cut": sadpAnswer("abc", "80")[:200],
		"another verb": strings.Replace(sadpAnswer("abc", "80"), "inquiry", "update", 1), "entities": "<!DOCTYPE a []>" + sadpAnswer("abc", "80"),
	} {
		if _, s, err := readSADP([]byte(d), testHost); err == nil {
			t.Errorf("%s was read as %+v", name, s)
		}
	}
	d := &sadp{}
	d.questions()
	if _, err := d.read([]byte(sadpAnswer("abc", "80")), testHost); err == nil {
		t.Error("an answer to no question was believed")
	}
}

func TestReadDHDiscover(t *testing.T) {
	for info, want := range map[string]string{
		dhInfo: "10.0.0.7:8081 NVR-TEST TEST000001 Dahua",
		strings.Replace(dhInfo, "8081", `"8082"`, 1):                       "10.0.0.7:8082 NVR-TEST TEST000001 Dahua",
		`"SerialNo":"X","HttpPort":{"a":[1]},"Manufacturer":"Altro\nNome"`: "10.0.0.7:80  X Altro Nome",
	} {
		s, err := readDHDiscover([]byte(dhAnswerText(info)), testHost)
		if got := fmt.Sprint(s.Address, " ", s.Model, " ", s.Serial, " ", s.Vendor); err != nil || got != want {
			t.Errorf("%s was read as %q, %v; want %q", info, got, err, want)
		}
	}
	good := dhAnswerText(dhInfo)
	for name, d := range map[string]string{
		"empty": "", "header alone": good[:dhipHeader], "no header": good[dhipHeader:], "cut": good[:len(good)-9], "our question": string(dhdiscover{}.questions()[0]),
		"nothing told": dhAnswerText(`"Vendor":"x"`), "not an object": dhAnswerText(`"DeviceType":[1]`),
	} {
		if s, err := readDHDiscover([]byte(d), testHost); err == nil {
			t.Errorf("%s was read as %+v", name, s)
		}
	}
	if q := (dhdiscover{}).questions()[0]; len(q) != 32+58 || q[0] != 32 || string(q[4:8]) != "DHIP" || q[16] != 58 || q[24] != 58 || q[32] != '{' {
		t.Errorf("the question is %q", q)
	}
}

func TestReadSSDP(t *testing.T) {
	u, err := readSSDP([]byte(ssdpAnswer("http://user:secret@10.0.0.7:49152/d.xml#x")), testHost)
	if err != nil || u.String() != "http://10.0.0.7:49152/d.xml" {
		t.Errorf("%v, %v", u, err)
	}
	for name, d := range map[string]string{
		"empty": "", "another host": ssdpAnswer("http://10.0.0.8/d.xml"), "a public host": ssdpAnswer("http://203.0.113.9/d.xml"), "a name": ssdpAnswer("http://router.local/d.xml"),
		"https": ssdpAnswer("https://10.0.0.7/d.xml"), "file": ssdpAnswer("file:///etc/passwd"), "none": ssdpAnswer(""), "no port": ssdpAnswer("http://10.0.0.7:0/"),
		"a question": string(newSSDP().questions()[0]), "a refusal": "HTTP/1.1 404 Not Found\r\nLOCATION: http://10.0.0.7/\r\n\r\n", "long": ssdpAnswer("http://10.0.0.7/" + strings.Repeat("x", 300)),
	} {
		if u, err := readSSDP([]byte(d), testHost); err == nil {
			t.Errorf("%s: %v would be fetched", name, u)
		}
	}
}

func TestReadDescription(t *testing.T) {
	for _, c := range []struct{ maker, model, page, want string }{
		{"AXIS", "M1065-L", "http://10.0.0.7:8080/", "10.0.0.7:8080"},
		{"Synology Inc.", "DS220+", "http://10.0.0.8:5000/", "10.0.0.7:80"}, // its page is elsewhere: not believed
		{"Ubiquiti Networks", "UniFi Dream Machine", "", "10.0.0.7:80"},
		{"Nessuno", "Network Video Recorder", "/", "10.0.0.7:80"},
		{"Nessuno", "IP Cameras 2", "/", "10.0.0.7:80"},
		{"Televisori srl", "TV-55", "http://10.0.0.7/", ""},
		{"Relaxis", "Praxis 3", "http://10.0.0.7/", ""}, // "axis" inside a word
		{"", "", "", ""},
	} {
		s, err := readDescription([]byte(upnpDescription(c.maker, c.model, c.page)), testHost)
		if got := s.Address.String(); (err == nil) != (c.want != "") || err == nil && (got != c.want || s.Vendor != c.maker || s.Model != c.model) {
			t.Errorf("%s %s %s: %+v, %v", c.maker, c.model, c.page, s, err)
		}
	}
}

func TestMDNSSighting(t *testing.T) {
	eth, wlan := net.Interface{Index: 1, Name: "eth0"}, net.Interface{Index: 2, Name: "wlan0"}
	one := []link{{Interface: eth, prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("fe80::1/64")}}}
	two := append(one, link{Interface: wlan, prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.1.1/24"), netip.MustParsePrefix("fe80::2/64"), netip.MustParsePrefix("fd00::2/64")}})
	v := func(s string) []net.IP { return []net.IP{net.ParseIP(s)} }
	for _, c := range []struct {
		service    string
		four, six  []net.IP
		port       int
		txt        []string
		on         []link
		want, made string
	}{
		{"_axis-video._tcp", v("10.0.0.9"), v("fe80::9"), 8080, nil, two, "10.0.0.9:8080 eth0", ""},
		{"_onvif._tcp", v("192.0.2.1"), nil, 80, nil, two, "", ""}, // another network
		{"_onvif._tcp", nil, v("fe80::9"), 80, nil, one, "[fe80::9%eth0]:80 eth0", ""},
		{"_onvif._tcp", nil, v("fe80::9"), 80, nil, two, "", ""}, // on which of them?
		{"_onvif._tcp", nil, v("fd00::9"), 80, nil, two, "[fd00::9]:80 wlan0", ""},
		{"_rtsp._tcp", v("10.0.1.9"), nil, 554, nil, two, "10.0.1.9:80 wlan0", ""},
		{"_http._tcp", v("10.0.0.9"), nil, 5000, []string{"vendor=Synology", "model=DS220+"}, two, "10.0.0.9:5000 eth0", "Synology"},
		{"_http._tcp", v("10.0.0.9"), nil, 80, []string{"MacAddress=00:40:8C:00:00:01"}, two, "10.0.0.9:80 eth0", "AXIS"},
		{"_http._tcp", v("10.0.0.9"), nil, 80, []string{"vendor=Printers", "macaddress=025E47000001"}, two, "", ""},
		{"_axis-video._tcp", v("10.0.0.9"), nil, 0, nil, two, "", ""},
		{"_axis-video._tcp", []net.IP{{1, 2, 3}}, []net.IP{nil}, 80, nil, two, "", ""},
	} {
		e := &zeroconf.ServiceEntry{Port: c.port, Text: c.txt, AddrIPv4: c.four, AddrIPv6: c.six}
		s, ok := mdnsSighting(e, serviceIndex(c.service), c.on)
		if got := s.Address.String() + " " + s.Interface; ok != (c.want != "") || ok && (got != c.want || s.Vendor != c.made) {
			t.Errorf("%s %v %v %d %q: %s %q, %v; want %q", c.service, c.four, c.six, c.port, c.txt, got, s.Vendor, ok, c.want)
		}
	}
}

func serviceIndex(name string) int {
	for i, s := range mdnsServices {
		if s.name == name {
			return i
		}
	}
	return -1
}
