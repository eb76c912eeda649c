package uplink

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// reasonOf gives the Reason of an error of this package.
func reasonFrom(t *testing.T, err error) Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("not an *Error: %v", err)
	}
	if e.Hint == "" {
		t.Errorf("%q says not what to do", e)
	}
	return e.Reason
}

func (c *collector) link(pin string) string {
	return protocol.Link{Collector: c.addr, Code: protocol.NewCode(), Pin: pin}.String()
}

func TestEnrol(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	dir := filepath.Join(t.TempDir(), "agent")
	if _, err := Open(dir); reasonFrom(t, err) != NotEnrolled {
		t.Errorf("before the enrolment: %v", err)
	}
	link := c.link(c.authority.pin())
	g, err := Enrol(t.Context(), dir, "", link, EnrolOptions{Version: "1.0"})
	if err != nil {
		t.Fatal(err)
	}
	if g.AgentID != "agent-1" || g.SiteID != "site-1" || g.Epoch != 3 || g.From.IsZero() || !g.Until.IsZero() {
		t.Errorf("%+v", g)
	}
	info, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("identity.key: %v, %v", info, err)
	}
	id, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if id.AgentID != "agent-1" || id.Collector != c.addr || id.web || len(id.authorities) != 1 || time.Until(id.Until()) < 29*24*time.Hour {
		t.Errorf("%+v", id)
	}
	// Again, and a further code without an address: the key stays.
	if _, err := Enrol(t.Context(), dir, c.addr, link, EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Enrol(t.Context(), dir, "", protocol.NewCode().String(), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	if keys := c.heard().keys; len(keys) != 3 || keys[0] != keys[1] || keys[1] != keys[2] {
		t.Error("the key changed")
	}
	// What it holds is enough to deliver.
	if id, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	run(t, id, newOutbox("a1"), nil).expect(t, outcome{"a", "h3", ""})
}

func TestEnrolOverTCP(t *testing.T) {
	c := newCollector(t)
	c.serve(servers{tcp: true}, nil, nil)
	if _, err := Enrol(t.Context(), t.TempDir(), "", c.link(c.authority.pin()), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	if c.heard().via[0] != "h2" {
		t.Errorf("over %s", c.heard().via[0])
	}
}

func TestEnrolRefused(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	other := newAuthority(t)
	misnamed := newCollector(t)
	misnamed.serve(both, misnamed.tlsConfig(misnamed.authority, "collector.example"), nil)
	leafOnly := newCollector(t)
	config := leafOnly.tlsConfig(leafOnly.authority, leafOnly.host)
	config.Certificates[0].Certificate = config.Certificates[0].Certificate[:1]
	leafOnly.serve(both, config, nil)
	nobody := newCollector(t)
	code := protocol.NewCode().String()
	elsewhere := t.TempDir()
	if _, err := Enrol(t.Context(), elsewhere, "", c.link(c.authority.pin()), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	before := len(c.heard().keys)

	for _, tt := range []struct {
		name, collector, code, dir string
		answer                     error
		want                       Reason
	}{
		{name: "mistyped code", collector: c.addr, code: code[:len(code)-1] + "!", want: BadCode},
		{name: "mistyped link", code: c.link(c.authority.pin()) + "x", want: BadCode},
		{name: "no collector", code: code, want: NoCollector},
		{name: "plain HTTP", collector: "http://127.0.0.1:1", code: code, want: NoCollector},
		{name: "link and another address", collector: nobody.addr, code: c.link(c.authority.pin()), want: NoCollector},
		{name: "private authority, no pin", collector: c.addr, code: code, want: ServerUntrusted},
		{name: "other pin", code: c.link(other.pin()), want: ServerUntrusted},
		{name: "other name", code: misnamed.link(misnamed.authority.pin()), want: ServerUntrusted},
		{name: "authority not shown", code: leafOnly.link(leafOnly.authority.pin()), want: ServerUntrusted},
		{name: "nobody there", code: nobody.link(nobody.authority.pin()), want: Unreachable},
		{name: "other collector", collector: nobody.addr, code: code, dir: elsewhere, want: OtherCollector},
		{name: "unknown", code: c.link(c.authority.pin()), answer: refusal(connect.CodeNotFound, "unknown-code", "?"), want: protocol.ReasonUnknownCode},
		{name: "used", code: c.link(c.authority.pin()), answer: refusal(connect.CodeAlreadyExists, "used-code", "?"), want: protocol.ReasonUsedCode},
		{name: "guessing", code: c.link(c.authority.pin()), answer: refusal(connect.CodeResourceExhausted, "too-many-attempts", "?"), want: protocol.ReasonTooMany},
		{name: "revoked", code: c.link(c.authority.pin()), answer: refusal(connect.CodePermissionDenied, "revoked", "?"), want: protocol.ReasonRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.set(func() { c.enrolled = func(*wire.EnrolRequest) error { return tt.answer } })
			if tt.dir == "" {
				tt.dir = t.TempDir()
			}
			_, err := Enrol(t.Context(), tt.dir, tt.collector, tt.code, EnrolOptions{})
			if got := reasonFrom(t, err); got != tt.want {
				t.Errorf("%q (%v), want %q", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), tt.code) {
				t.Errorf("the error repeats the code: %v", err)
			}
			if _, err := os.Stat(filepath.Join(tt.dir, identityFile)); err == nil && tt.dir != elsewhere {
				t.Error("an identity was written")
			}
		})
	}
	if n := len(c.heard().keys) - before; n != 0 {
		t.Errorf("%d enrolments went through", n)
	}
}

func TestEnrolAnswersThatLie(t *testing.T) {
	c := newCollector(t)
	id := c.authority.identity(t, c.addr, time.Now())
	mine, others := id.chain[0].Raw, c.authority.identity(t, c.addr, time.Now()).chain[0].Raw
	for name, chain := range map[string][][]byte{
		"none": nil, "noise": {[]byte("noise")}, "for another key": {others}, "endless": {mine, mine, mine, mine, mine, mine, mine, mine, mine},
	} {
		if _, err := id.with(chain, [][]byte{c.authority.cert.Raw}, 0, ""); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := id.with([][]byte{mine}, nil, 0, ""); err == nil {
		t.Error("no authority: accepted")
	}
}

// TestIdentityIsNeverReplaced: whatever is wrong with it, Open and Enrol say
// so, and leave it as it is.
func TestIdentityIsNeverReplaced(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	for _, tt := range []struct {
		name   string
		damage func(dir string) error
	}{
		{"key gone", func(d string) error { return os.Remove(filepath.Join(d, keyFile)) }},
		{"key empty", func(d string) error { return os.WriteFile(filepath.Join(d, keyFile), nil, 0o600) }},
		{"key is noise", func(d string) error { return os.WriteFile(filepath.Join(d, keyFile), []byte("noise"), 0o600) }},
		{"key endless", func(d string) error { return os.WriteFile(filepath.Join(d, keyFile), make([]byte, maxPEM+1), 0o600) }},
		{"key is a folder", func(d string) error {
			return errors.Join(os.Remove(filepath.Join(d, keyFile)), os.Mkdir(filepath.Join(d, keyFile), 0o700))
		}},
		{"certificate empty", func(d string) error { return os.WriteFile(filepath.Join(d, identityFile), nil, 0o600) }},
		{"certificate is noise", func(d string) error { return os.WriteFile(filepath.Join(d, identityFile), []byte("noise"), 0o600) }},
		{"certificate of another", func(d string) error {
			b, err := os.ReadFile(filepath.Join(c.authority.identity(t, c.addr, time.Now()).dir, identityFile))
			return errors.Join(err, os.WriteFile(filepath.Join(d, identityFile), b, 0o600))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := c.authority.identity(t, c.addr, time.Now()).dir
			if err := tt.damage(dir); err != nil {
				t.Fatal(err)
			}
			before := files(t, dir)
			_, err := Open(dir)
			if reasonFrom(t, err) != IdentityUnreadable {
				t.Errorf("Open: %v", err)
			}
			_, err = Enrol(t.Context(), dir, "", c.link(c.authority.pin()), EnrolOptions{})
			if reasonFrom(t, err) != IdentityUnreadable {
				t.Errorf("Enrol: %v", err)
			}
			if files(t, dir) != before {
				t.Error("the files changed")
			}
		})
	}
	if len(c.heard().keys) != 0 {
		t.Error("a code was spent")
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var s strings.Builder
	for _, e := range entries {
		b, _ := os.ReadFile(filepath.Join(dir, e.Name())) // a folder reads as nothing
		s.WriteString(e.Name() + "\n" + string(b))
	}
	return s.String()
}

// A key without identity is one whose code was not answered: it is kept.
func TestKeySurvivesAFailedEnrolment(t *testing.T) {
	c := newCollector(t)
	c.enrolled = func(*wire.EnrolRequest) error { return refusal(connect.CodeUnavailable, "temporary", "later") }
	c.serve(both, nil, nil)
	dir := t.TempDir()
	if _, err := Enrol(t.Context(), dir, "", c.link(c.authority.pin()), EnrolOptions{}); reasonFrom(t, err) != protocol.ReasonTemporary {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	c.set(func() { c.enrolled = nil })
	if _, err := Enrol(t.Context(), dir, "", c.link(c.authority.pin()), EnrolOptions{}); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.ReadFile(filepath.Join(dir, keyFile)); string(after) != string(key) {
		t.Error("another key was made")
	}
}

// The request for a certificate names nothing of this host.
func TestCertificateRequestIsAnonymous(t *testing.T) {
	der, err := certificateRequest(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	if csr.Subject.String() != "" || len(csr.Extensions) > 0 || len(csr.DNSNames) > 0 {
		t.Errorf("it names %q, %v", csr.Subject, csr.Extensions)
	}
}

func TestRenewal(t *testing.T) {
	for name, age := range map[string]time.Duration{"day 26": 26 * 24 * time.Hour, "expired": 31 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			c := newCollector(t)
			config := c.tlsConfig(c.authority, c.host)
			config.ClientAuth = 1 // request: an expired one is for the calls to judge
			c.before = func([]byte) error {
				if leaf := c.h.shown[len(c.h.shown)-1]; time.Now().After(leaf.NotAfter) {
					return refusal(connect.CodeUnauthenticated, "expired-certificate", "expired")
				}
				return nil
			}
			c.serve(both, config, nil)
			id := c.authority.identity(t, c.addr, time.Now().Add(-age))
			o := newOutbox()
			r := run(t, id, o, nil)
			for !r.Status().CertificateUntil.After(id.Until()) {
				<-c.listens // once with each certificate
			}
			o.add("a1")
			r.expect(t, outcome{"a", "h3", ""})
			r.stop()
			saved, err := Open(id.dir)
			if err != nil {
				t.Fatal(err)
			}
			if !saved.Until().After(id.Until()) || !saved.key.Equal(id.key) || saved.AgentID != id.AgentID {
				t.Errorf("on the disk: until %v, %s", saved.Until(), saved.AgentID)
			}
			if last := c.heard().shown[len(c.heard().shown)-1]; !last.Equal(saved.chain[0]) {
				t.Error("the old certificate is still shown")
			}
		})
	}
}

func TestNoRenewalBeforeItsTime(t *testing.T) {
	c := newCollector(t)
	id := c.authority.identity(t, c.addr, time.Now().Add(-19*24*time.Hour))
	if !id.renewAt().After(time.Now()) {
		t.Error("renewed on day 19")
	}
	if id.renewAt().After(time.Now().Add(6*24*time.Hour + time.Hour)) {
		t.Error("not renewed on day 25")
	}
}

// What was enrolled in the same hour is renewed over five days, and each
// certificate always at the same time.
func TestRenewalsAreSpread(t *testing.T) {
	a := newAuthority(t)
	key, made := newKey(t), time.Now()
	days := map[int]int{}
	for range 500 {
		id := &Identity{chain: []*x509.Certificate{a.sign(t, "agent", &key.PublicKey, made)}}
		at := id.renewAt()
		if !at.Equal(id.renewAt()) {
			t.Fatal("one certificate, two times")
		}
		days[int(at.Sub(made.Truncate(time.Second))/(24*time.Hour))]++
	}
	for day, n := range days {
		if day < 20 || day > 24 || n < 50 {
			t.Errorf("%d of 500 on day %d", n, day)
		}
	}
	if len(days) != 5 {
		t.Errorf("on the days %v", days)
	}
}

func TestRunBeforeEnrolment(t *testing.T) {
	c := newCollector(t)
	c.serve(both, nil, nil)
	r := run(t, nil, newOutbox("a1"), nil)
	if s := r.Status(); s.AgentID != "" || s.Transport != "" {
		t.Errorf("%+v", s)
	}
	r.Use(c.authority.identity(t, c.addr, time.Now()))
	r.expect(t, outcome{"a", "h3", ""})
	if s := r.Status(); s.AgentID != "agent-1" {
		t.Errorf("%+v", s)
	}
}

func TestParseCollector(t *testing.T) {
	for in, want := range map[string]string{
		"https://Collector.example":       "https://collector.example:8443",
		"https://collector.example:443/":  "https://collector.example:443",
		"https://[2001:DB8::1]:8443":      "https://[2001:db8::1]:8443",
		"http://collector.example":        "",
		"collector.example:8443":          "",
		"https://user:pw@collector.local": "",
		"https://":                        "",
		"":                                "",
	} {
		if got, err := parseCollector(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
}

func FuzzParseIdentity(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAnagrafe-Agent: a\n\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, err := parseIdentity(b); err == nil && (len(id.chain) == 0 || id.AgentID == "" || id.Collector == "") {
			t.Errorf("half an identity from %q", b)
		}
	})
}

func FuzzParseInvitation(f *testing.F) {
	code := protocol.NewCode().String()
	f.Add("", code)
	f.Add("https://collector.example", "https://collector.example:8443/enrol#code="+code)
	f.Add("https://[::1]:1", "://")
	f.Fuzz(func(t *testing.T, collector, code string) {
		link, err := parseInvitation(collector, code)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("not an *Error: %v", err)
			}
			return
		}
		if again, err := parseCollector(link.Collector); link.Collector != "" && (err != nil || again != link.Collector) {
			t.Errorf("%q is not stable: %q, %v", link.Collector, again, err)
		}
	})
}
