package uplink

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
)

// proxy is what HTTPS_PROXY and NO_PROXY say about a collector. The way over TCP
// takes it; QUIC goes its own way or, where that is closed, not at all.
type proxy struct {
	url *url.URL // nil: none; may hold a password
	err error    // HTTPS_PROXY cannot be read
}

// proxyFor reads the environment anew: http.ProxyFromEnvironment would keep what it
// read first.
func proxyFor(collector *url.URL) proxy {
	u, err := httpproxy.FromEnvironment().ProxyFunc()(collector)
	known := u == nil || slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)
	if err == nil && (!known || u != nil && (u.Hostname() == "" || strings.Trim(u.Path, "/") != "")) {
		err = errors.New("not a proxy") // what cannot be read is taken for a host's name
	}
	if err != nil { // its own text may repeat the whole value
		return proxy{err: &Error{Reason: ProxyRefused, what: "read HTTPS_PROXY", cause: errors.New("it is not the address of a proxy"),
			Hint: hint(ProxyRefused)}}
	}
	return proxy{url: u}
}

// choose is for http.Transport.
func (p proxy) choose(*http.Request) (*url.URL, error) { return p.url, p.err }

// name is the proxy's address without user and password.
func (p proxy) name() string { return p.url.Scheme + "://" + p.url.Host }

// answered judges a proxy's answer to CONNECT.
func (p proxy) answered(resp *http.Response) error {
	switch {
	case resp.StatusCode == http.StatusOK:
		return nil
	case resp.StatusCode == http.StatusProxyAuthRequired && p.url.User == nil:
		return newError(ProxyRefused, errors.New("it wants a user name and a password"), "go through the proxy "+p.name())
	case resp.StatusCode == http.StatusProxyAuthRequired:
		return newError(ProxyRefused, errors.New("it does not take this user name and password"), "go through the proxy "+p.name())
	}
	return newError(ProxyRefused, fmt.Errorf("it answers %d and opens no way to the collector", resp.StatusCode), "go through the proxy "+p.name())
}

func (p proxy) onConnect(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	return p.answered(resp)
}

// address is where the proxy listens.
func (p proxy) address() string {
	if p.url.Port() != "" {
		return p.url.Host
	}
	return net.JoinHostPort(p.url.Hostname(), map[string]string{"http": "80", "https": "443"}[p.url.Scheme])
}

// tunnel asks a proxy at the other end of conn for a way to host:port (RFC 9110,
// section 9.3.6), as http.Transport does, for who examines the way step by step.
func (p proxy) tunnel(ctx context.Context, conn net.Conn, to string) (net.Conn, error) {
	if p.url.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: p.url.Hostname()})
	}
	if until, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(until); err != nil {
			return nil, err
		}
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: to}, Host: to, Header: http.Header{"User-Agent": {userAgent}}}
	if u := p.url.User; u != nil {
		password, _ := u.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	// Nothing follows the answer before we speak, so none of it is read here.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeader)), req)
	if err != nil {
		return nil, err
	}
	if err := p.answered(resp); err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Time{})
}
