package mail

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/protocol/pages/pagestest"
)

// exim is Debian's own mail server, run for each connection as inetd would, with
// everything of it in one directory. It keeps what it takes in its queue.
type exim struct {
	t       *testing.T
	dir     string
	conf    string
	args    []string
	addr    string
	trusted *tls.Config // knows the server's certificate
	ended   sync.WaitGroup
}

const (
	eximUser     = "telecamere"
	eximPassword = "parola lunga"
)

// newExim starts a server. Words: "no-tls" offers none, "implicit" speaks it from
// the first byte, "login" takes mail from nobody else, "policy" refuses every
// recipient for no fault of its own.
func newExim(t *testing.T, words ...string) *exim {
	t.Helper()
	bin, err := exec.LookPath("exim4")
	pagestest.Need(t, err == nil, "Debian's mail server exim4 is missing: run make deps")
	e := &exim{t: t, dir: t.TempDir()}
	e.trusted = e.certificate()
	on := map[string]bool{}
	for _, w := range words {
		on[w] = true
	}
	e.configure(on)
	e.args = []string{bin, "-C", e.conf, "-bs"}
	if on["implicit"] {
		e.args = append(e.args, "-tls-on-connect")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.addr = l.Addr().String()
	e.ended.Go(func() { e.accept(l) })
	t.Cleanup(func() {
		l.Close()
		e.ended.Wait()
	})
	return e
}

func (e *exim) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		socket, err := conn.(*net.TCPConn).File()
		conn.Close() // the server's own copy stays open
		if err != nil {
			e.t.Error(err)
			return
		}
		var said bytes.Buffer
		run := exec.CommandContext(e.t.Context(), e.args[0], e.args[1:]...)
		run.Stdin, run.Stdout, run.Stderr = socket, socket, &said
		err = run.Start()
		socket.Close()
		if err != nil {
			e.t.Error(err)
			return
		}
		e.ended.Go(func() {
			if err := run.Wait(); err != nil {
				e.t.Logf("the mail server: %v %s", err, said.Bytes())
			}
		})
	}
}

func (e *exim) write(name, text string, mode os.FileMode) string {
	e.t.Helper()
	path := filepath.Join(e.dir, name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		e.t.Fatal(err)
	}
	return path
}

// certificate makes one for localhost, and gives who trusts it.
func (e *exim) certificate() *tls.Config {
	e.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		e.t.Fatal(err)
	}
	template := &x509.Certificate{DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		e.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		e.t.Fatal(err)
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	e.write("cert.pem", string(cert), 0o644)
	e.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})), 0o644)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return &tls.Config{RootCAs: pool}
}

func (e *exim) configure(on map[string]bool) {
	e.t.Helper()
	whoever, extra, offered := "hosts = *", "", "*"
	if on["login"] {
		whoever = "authenticated = *"
	}
	if on["policy"] {
		extra = "  deny message = 5.7.1 not from there\n"
	}
	if on["no-tls"] {
		offered = ""
	}
	for _, dir := range []string{"spool", "log", "back"} {
		if err := os.Mkdir(filepath.Join(e.dir, dir), 0o777); err != nil {
			e.t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(e.dir, dir), 0o777); err != nil { // its user is another
			e.t.Fatal(err)
		}
	}
	for dir := e.dir; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			e.t.Fatal(err)
		}
	}
	e.conf = e.write("exim.conf", fmt.Sprintf(`primary_hostname = mail.example
spool_directory = %[1]s/spool
log_file_path = %[1]s/log/%%slog
keep_environment =
queue_only
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = %[2]s
tls_certificate = %[1]s/cert.pem
tls_privatekey = %[1]s/key.pem
auth_advertise_hosts = ${if def:tls_in_cipher{*}{}}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny local_parts = gone
    message = 5.1.1 gone@example.it is not known here
  defer local_parts = later
    message = 4.2.1 later@example.it is busy
%[3]s  accept %[4]s
  deny message = relay not permitted
begin routers
vanished:
  driver = redirect
  local_parts = vanished
  data = :fail: 5.1.1 no such mailbox
  allow_fail
back:
  driver = accept
  local_parts = telecamere
  transport = pipe
begin transports
pipe:
  driver = pipe
  command = /bin/sh -c "cat > %[1]s/back/mail"
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{%[5]s}}{eq{$auth3}{%[6]s}}}}
  server_set_id = $auth2
`, e.dir, offered, extra, whoever, eximUser, eximPassword), 0o644)
}

// deliver has the server go through its queue once.
func (e *exim) deliver() {
	e.t.Helper()
	e.run("-qff")
}

// taken gives what the server has taken, as it would go on.
func (e *exim) taken() (all []*mail.Message) {
	e.t.Helper()
	for _, id := range regexp.MustCompile(`(?m)^\s*\S+\s+\S+\s+(\w+-\w+-\w+) `).FindAllStringSubmatch(e.run("-bpr"), -1) {
		m, err := mail.ReadMessage(strings.NewReader(e.run("-Mvc", id[1])))
		if err != nil {
			e.t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func (e *exim) run(args ...string) string {
	e.t.Helper()
	out, err := exec.CommandContext(e.t.Context(), e.args[0], append([]string{"-C", e.conf}, args...)...).CombinedOutput()
	if err != nil {
		e.t.Fatal(err, string(out))
	}
	return string(out)
}
