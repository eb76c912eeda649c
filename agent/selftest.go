package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/quic-go/quic-go"

	"anagrafe/agent/inventory"
	"anagrafe/agent/uplink"
	"anagrafe/protocol/pages"
)

// Parts of the program itself, for doctor -self.
const (
	partStore uplink.Part = "store" // SQLite with its log, and the sealed passwords
	partLine  uplink.Part = "line"  // QUIC with mutual TLS
	partZones uplink.Part = "zones" // the time zones that are linked in
	partFront uplink.Part = "front" // the front end that is linked in
)

// selfLimit is for a machine that is emulated, or as slow.
const selfLimit = time.Minute

// examineSelf proves that the program works on this machine, whatever is installed or
// enrolled there: what is compiled for its processor and what asks its kernel for
// something. It leaves nothing behind.
func (c *call) examineSelf(ctx context.Context) diagnosis {
	ctx, stop := context.WithTimeout(ctx, selfLimit)
	defer stop()
	d := diagnosis{Healthy: true}
	for _, part := range []struct {
		part  uplink.Part
		good  string
		works func(context.Context) error
	}{
		{partStore, "a database is written, and read again", c.storeWorks},
		{partLine, "two ends recognise each other over QUIC, and speak", lineWorks},
		{partZones, "summer time in Europe/Rome is known", zonesWork},
		{partFront, "the pages are in the program", pagesWork},
	} {
		f := uplink.Finding{Part: part.part, State: uplink.StateGood, Found: part.good}
		if err := part.works(ctx); err != nil {
			f = uplink.Finding{Part: part.part, State: uplink.StateBad, Found: err.Error(), Do: "this program does not suit this machine, or was damaged: install the one for its processor anew"}
			d.Healthy = false
		}
		d.Findings = append(d.Findings, f)
	}
	return d
}

// storeWorks makes an inventory, and opens it again with its key.
func (c *call) storeWorks(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "anagrafe-self-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for range 2 {
		inv, err := inventory.Open(ctx, dir, c.log)
		if err != nil {
			return err
		}
		if err := inv.Close(); err != nil {
			return err
		}
	}
	return nil
}

// lineWorks shakes hands with itself on loopback, each end knowing the other's key,
// and sends more than fits into one packet there and back.
func lineWorks(ctx context.Context) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		return err
	}
	known := x509.NewCertPool()
	if leaf, err := x509.ParseCertificate(der); err != nil {
		return err
	} else {
		known.AddCert(leaf)
	}
	both := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"anagrafe-self"}, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		RootCAs: known, ClientCAs: known, ClientAuth: tls.RequireAndVerifyClientCert, ServerName: "localhost"}
	listener, err := quic.ListenAddr("127.0.0.1:0", both, nil)
	if err != nil {
		return err
	}
	defer listener.Close()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(ctx, listener) }()
	said := make([]byte, 64<<10)
	rand.Read(said)
	heard, err := ask(ctx, listener.Addr().String(), both, said)
	if err != nil {
		return errors.Join(err, listener.Close(), <-echoed)
	}
	if string(heard) != string(said) {
		return fmt.Errorf("of %d bytes %d others came back", len(said), len(heard))
	}
	return <-echoed
}

// echo answers one stream with what came on it, and waits until the asker has gone.
func echo(ctx context.Context, l *quic.Listener) error {
	conn, err := l.Accept(ctx)
	if err != nil {
		return err
	}
	stream, err := conn.AcceptStream(ctx)
	if err != nil {
		return err
	}
	if _, err := io.Copy(stream, stream); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	select {
	case <-conn.Context().Done():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func ask(ctx context.Context, addr string, config *tls.Config, said []byte) (heard []byte, err error) {
	conn, err := quic.DialAddr(ctx, addr, config, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.CloseWithError(0, "")) }()
	stream, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	if until, ok := ctx.Deadline(); ok {
		if err := stream.SetDeadline(until); err != nil {
			return nil, err
		}
	}
	sent := make(chan error, 1)
	go func() {
		_, err := stream.Write(said)
		sent <- errors.Join(err, stream.Close())
	}()
	heard, err = io.ReadAll(io.LimitReader(stream, int64(len(said))+1))
	return heard, errors.Join(err, <-sent)
}

func zonesWork(context.Context) error {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return err
	}
	if _, offset := time.Date(2026, 7, 1, 12, 0, 0, 0, rome).Zone(); offset != 2*60*60 {
		return fmt.Errorf("in July Rome is %d s from UTC here, not two hours", offset)
	}
	return nil
}

func pagesWork(context.Context) error {
	if !pages.Built() {
		return errors.New("it was built without the front end (make pages)")
	}
	return nil
}
