package registry

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// A connection gives up on a host that is gone, in either direction.
func TestConnectionsNoticeAHostThatIsGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	config, err := pgx.ParseConfig("postgres://a@" + l.Addr().String() + "/b")
	if err != nil {
		t.Fatal(err)
	}
	steady(config)
	c, err := config.DialFunc(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]struct{ level, option, want int }{
		"unanswered":         {unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(goneAfter / time.Millisecond)},
		"keep-alive":         {unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		"before the first":   {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, int(askAfter / time.Second)},
		"between two":        {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, int(askEvery / time.Second)},
		"without any answer": {unix.IPPROTO_TCP, unix.TCP_KEEPCNT, askAtMost},
	} {
		var got int
		if err := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), o.level, o.option) }); err != nil || got != o.want {
			t.Errorf("%s: %d, want %d, %v", name, got, o.want, err)
		}
	}
}

// A collector that stands still in its turn loses it, and the others go on; what it
// was about to write is not there.
func TestACollectorThatStandsStill(t *testing.T) {
	onlyPostgres(t)
	store := storeAt(t, t.TempDir())
	still, other := openStore(t, store+"&idle_in_transaction_session_timeout=100"), openStore(t, store)
	if err := other.AddUser(t.Context(), User{ID: "u", Name: "U", Role: "ops"}); err != nil {
		t.Fatal(err)
	}
	began, release := make(chan struct{}), make(chan struct{})
	answered := make(chan error, 1)
	go func() {
		answered <- still.update(context.Background(), func(ctx context.Context, tx *tx) error {
			err := insert("still")(ctx, tx)
			close(began)
			<-release
			return err
		})
	}()
	<-began
	if err := other.update(t.Context(), insert("other")); err != nil {
		t.Error(err)
	}
	close(release)
	if err := <-answered; err == nil {
		t.Error("acknowledged after its turn was over")
	}
	if inserted(t, other, "still") || !inserted(t, other, "other") {
		t.Error("the wrong one is recorded")
	}
	if err := still.update(t.Context(), insert("again")); err != nil {
		t.Errorf("its next write: %v", err)
	}
	var turn string
	if err := other.read.QueryRowContext(t.Context(), "SHOW idle_in_transaction_session_timeout").Scan(&turn); err != nil || turn != idleTurn.String() {
		t.Errorf("%s, %v", turn, err)
	}
}
