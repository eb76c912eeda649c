package registry

import (
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

// A host that vanishes (power cut, cable pulled) leaves its peers waiting: by default a
// commit would wait for some 15 minutes, and the turn of a vanished collector for two
// hours. So both sides probe, and give up within goneAfter.
const (
	goneAfter  = 15 * time.Second
	askAfter   = 5 * time.Second // without a word
	askEvery   = 5 * time.Second
	askAtMost  = 2
	connecting = 3 * time.Second // to one host: while the first of two is gone, each attempt to reach the other begins with it
	// idleTurn ends a transaction whose collector says nothing more, though its
	// host is there (it is stopped or swapped out): the others wait for its turn.
	idleTurn = 30 * time.Second
)

// steady has connections of c notice what is gone, and lead to a server that
// takes writes: of several hosts in the URL, the one that is the primary now.
func steady(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connecting
	}
	if c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	dialer := net.Dialer{Control: giveUp,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: askAfter, Interval: askEvery, Count: askAtMost}}
	c.DialFunc = dialer.DialContext
	for name, value := range map[string]string{
		"application_name":                    "anagrafe-collector",
		"idle_in_transaction_session_timeout": milliseconds(idleTurn),
		// A commit that is broken off while it waits for its standby is done, and
		// may yet be lost.
		"statement_timeout":       "0",
		"tcp_keepalives_idle":     seconds(askAfter),
		"tcp_keepalives_interval": seconds(askEvery),
		"tcp_keepalives_count":    strconv.Itoa(askAtMost),
		"tcp_user_timeout":        milliseconds(goneAfter),
	} {
		if c.RuntimeParams[name] == "" { // what the URL says wins
			c.RuntimeParams[name] = value
		}
	}
}

// giveUp bounds how long what was sent may stay without acknowledgement
// (TCP_USER_TIMEOUT, RFC 5482). Keep-alives are not sent while something is.
func giveUp(network, _ string, c syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(goneAfter/time.Millisecond))
	})
	if err != nil {
		return err
	}
	return failed
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
func seconds(d time.Duration) string      { return strconv.Itoa(int(d / time.Second)) }
