package discover

import (
	"encoding/xml"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestScanTargets(t *testing.T) {
	// A device that listens to no multicast, but to questions put to itself.
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { // others may hold the port on all addresses
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}
	packets, err := lc.ListenPacket(t.Context(), "udp4", "127.0.45.1:3702")
	if err != nil {
		t.Fatal(err)
	}
	conn := packets.(*net.UDPConn)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxDatagram)
		for {
			n, from, err := conn.ReadFromUDP(buf)
			if err != nil {
				return
			}
			var p receivedProbe
			if xml.Unmarshal(buf[:n], &p) == nil {
				conn.WriteToUDP([]byte(match(p.MessageID, "", "http://10.0.0.1:8000/onvif/device_service")), from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	web, err := net.Listen("tcp4", "127.0.45.2:80")
	if err == nil { // not everybody may listen there
		defer web.Close()
	}

	first, found := scanLoopback(t, Options{Targets: []string{"127.0.45.1", "http://user:secret@127.0.45.9:8080/x", "127.0.45.2/30"}})
	if s := found["127.0.45.1:8000"]; !slices.Contains(s.Methods, MethodTarget) || !slices.Contains(s.Methods, MethodUntyped) {
		t.Errorf("the target that answers to its own address was read as %+v, all: %v", s, found)
	}
	if s := found["127.0.45.9:8080"]; len(s.XAddrs) != 1 || s.XAddrs[0] != "http://127.0.45.9:8080/x" {
		t.Errorf("the silent target was read as %+v", s)
	}
	if _, ok := found["127.0.45.2:80"]; ok != (web != nil) {
		t.Errorf("of the range, the host that accepts connections was found: %v", ok)
	}
	if n := count(first, "127.0.45.1:8000"); n != 1 {
		t.Errorf("the target was announced %d times", n)
	}
}

// A device that is announced by its address, and tells its endpoint later, is
// one device and known to be that one.
func TestScanKeepsNumbers(t *testing.T) {
	const id = "urn:uuid:48484848-0000-4000-8000-000000000001"
	asked := 0
	answerer(t, "127.0.48.1", func(p receivedProbe) []string {
		if p.Types != "" {
			return nil
		}
		if asked++; asked < 3 { // other packages' scans count too: then it only answers earlier
			return nil
		}
		return []string{match(p.MessageID, id, "http://127.0.48.1:8000/onvif/device_service")}
	})
	first, found := scanLoopback(t, Options{Targets: []string{"127.0.48.1:8000", "no.such.name.invalid"}, Window: 900 * time.Millisecond})
	i := slices.IndexFunc(first, func(s Sighting) bool { return s.Address.String() == "127.0.48.1:8000" })
	if i < 0 || first[i].Number == 0 || found[id].Number != first[i].Number {
		t.Errorf("announced %+v, found %+v", first, found[id])
	}
	numbers := map[int]bool{}
	for _, s := range found {
		if numbers[s.Number] {
			t.Errorf("two devices have the number %d", s.Number)
		}
		numbers[s.Number] = true
	}
}

// A host that the owner named gets two packets: two questions, or, as one of a
// range, a question and an attempt to connect.
func TestTargetsGetTwoPackets(t *testing.T) {
	var asked []chan string
	for _, host := range []string{"127.0.58.1", "127.0.58.6"} {
		lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
			return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
		}}
		conn, err := lc.ListenPacket(t.Context(), "udp4", host+":3702")
		if err != nil {
			t.Fatal(err)
		}
		types, done := make(chan string, 64), make(chan struct{})
		asked = append(asked, types)
		go func() {
			defer close(done)
			buf := make([]byte, maxDatagram)
			for {
				n, from, err := conn.ReadFrom(buf)
				if err != nil {
					return
				}
				var p receivedProbe
				if err := xml.Unmarshal(buf[:n], &p); err != nil {
					t.Error(err)
				}
				types <- p.Types
				conn.WriteTo([]byte(match(p.MessageID, "urn:test:"+host, "http://"+host+":8000/onvif")), from)
			}
		}()
		t.Cleanup(func() { conn.Close(); <-done })
	}
	_, found := scanLoopback(t, Options{Targets: []string{"127.0.58.1", "127.0.58.4/30"}})
	if s := found["urn:test:127.0.58.1"]; !slices.Equal(s.Methods, []Method{MethodTarget, MethodTransmitter, MethodUntyped}) || s.Address.Port() != 8000 {
		t.Errorf("the named host was read as %+v", s)
	}
	if s := found["urn:test:127.0.58.6"]; !slices.Contains(s.Methods, MethodUntyped) || s.Address.Port() != 8000 {
		t.Errorf("the host of the range was read as %+v", s)
	}
	for i, want := range []int{2, 1} {
		if n := len(asked[i]); n != want {
			t.Errorf("host %d got %d questions, want %d", i, n, want)
		}
	}
}
