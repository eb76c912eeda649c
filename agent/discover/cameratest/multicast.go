package cameratest

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A receiver hears datagrams to a multicast group on one interface.
//
// The kernel hands a datagram of the group to every socket on that port,
// whichever interface it came in on, hence the check of the interface.
type receiver struct {
	conn  *net.UDPConn
	four  *ipv4.PacketConn // or
	six   *ipv6.PacketConn
	group net.IP
	index int
}

// hear joins the group with a socket of its own, as each of many devices on one
// host must.
func hear(ifi *net.Interface, group net.UDPAddr) (*receiver, error) {
	r := &receiver{group: group.IP, index: ifi.Index}
	network := "udp4"
	if group.IP.To4() == nil {
		network = "udp6"
	}
	var err error
	if r.conn, err = net.ListenMulticastUDP(network, ifi, &group); err != nil {
		return nil, fmt.Errorf("%w (does another program hold UDP port %d for itself?)", err, group.Port)
	}
	if network == "udp4" {
		r.four = ipv4.NewPacketConn(r.conn)
		err = r.four.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true)
	} else {
		r.six = ipv6.NewPacketConn(r.conn)
		err = r.six.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true)
	}
	if err != nil {
		_ = r.conn.Close()
		return nil, err
	}
	return r, nil
}

// read is the next datagram; n is 0 where it was not for the group.
func (r *receiver) read(buf []byte) (n int, from net.Addr, err error) {
	index, dst := 0, net.IP(nil)
	if r.four != nil {
		var cm *ipv4.ControlMessage
		if n, cm, from, err = r.four.ReadFrom(buf); cm != nil {
			index, dst = cm.IfIndex, cm.Dst
		}
	} else {
		var cm *ipv6.ControlMessage
		if n, cm, from, err = r.six.ReadFrom(buf); cm != nil {
			index, dst = cm.IfIndex, cm.Dst
		}
	}
	if index != r.index || !dst.Equal(r.group) {
		n = 0
	}
	return n, from, err
}

// speaker makes a socket that sends from one address and port (0: any), also by
// multicast on the interface.
func speaker(ctx context.Context, ifi *net.Interface, from netip.AddrPort) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: reuse}
	network := "udp6"
	if from.Addr().Is4() {
		network = "udp4"
	}
	pc, err := lc.ListenPacket(ctx, network, from.String())
	if err != nil {
		return nil, err
	}
	conn := pc.(*net.UDPConn)
	if network == "udp4" {
		err = ipv4.NewPacketConn(conn).SetMulticastInterface(ifi)
	} else {
		err = ipv6.NewPacketConn(conn).SetMulticastInterface(ifi)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}
