package web

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"anagrafe/collector/registry"
	"anagrafe/protocol/pages"
)

func TestListenWithoutTLSIsForLoopbackAlone(t *testing.T) {
	b := newBench(t)
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0"} {
		if l, err := b.web.Listen(addr); err == nil {
			l.Close()
			t.Errorf("listens on %s in the clear", addr)
		} else if !strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: no remedy in %v", addr, err)
		}
	}
	l, err := b.web.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	b.web.TLS = &tls.Config{Certificates: b.server.TLS.Certificates}
	if l, err = b.web.Listen(":0"); err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestServeLetsAnswersFinish(t *testing.T) {
	b := newBench(t)
	b.web.TLS = &tls.Config{Certificates: b.server.TLS.Certificates}
	l, err := b.web.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked, answer := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- b.web.Serve(ctx, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			close(asked)
			<-answer
			if r.Context().Err() != nil {
				t.Error("the end of the program cancels an answer under way")
			}
			_, _ = io.WriteString(rw, r.Proto)
		}), l)
	}()
	got := make(chan string, 1)
	go func() {
		resp, err := b.server.Client().Get("https://" + l.Addr().String())
		if err != nil {
			got <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		got <- string(body)
	}()
	<-asked
	stop()
	close(answer)
	if s := <-got; !strings.HasPrefix(s, "HTTP/") {
		t.Errorf("got %q", s)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestServeFailsWhenAListenerDoes(t *testing.T) {
	b := newBench(t)
	one, err := b.web.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	two, err := b.web.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	one.Close()
	if err := b.web.Serve(t.Context(), http.NotFoundHandler(), one, two); err == nil {
		t.Error("no error")
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	b := newBench(t)
	for name, change := range map[string]func(*Options){
		"http elsewhere": func(o *Options) { o.PublicURL = "http://ops.example" },
		"no scheme":      func(o *Options) { o.PublicURL = "ops.example" },
		"with a path":    func(o *Options) { o.PublicURL = "https://ops.example/ops" },
		"short secret":   func(o *Options) { o.Secret = []byte("short") },
		"no trail":       func(o *Options) { o.Record = nil },
	} {
		o := Options{Registry: b.reg, Face: pages.FaceOps, Roles: []string{registry.RoleOps}, PublicURL: "https://ops.example",
			Secret: make([]byte, 32), Record: b.record, Log: logger(t)}
		if _, err := New(o); err != nil {
			t.Fatal(err)
		}
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseCredential(f *testing.F) {
	f.Add([]byte(`{"server":"https://a.example","user":"u","secret":"s","trail_key":"k"}`))
	f.Add([]byte(`{"server":"https://a.example","user":"u","secret":"s"} {}`))
	f.Add([]byte(`{"server":"x","user":"","secret":""}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCredential(raw)
		if err == nil && (c.User == "" || c.Secret == "" || !strings.HasPrefix(c.Server, "http")) {
			t.Errorf("%q gives %+v", raw, c)
		}
	})
}

func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/audit", "//evil.example", "/\\evil.example", "/%2F/evil.example", "https:evil.example", "/a/../login", "/\tevil"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next, "/")
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.HasPrefix(got, "/\\") || strings.ContainsAny(got, "\r\n\t") {
			t.Errorf("next %q leads to %q", next, got)
		}
	})
}
