package review

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"anagrafe/protocol"
)

// caller is one browser: its address, its name for itself, its cookies.
type caller struct {
	addr, agent string
	jar         map[string]*http.Cookie
}

func newCaller(addr, agent string) *caller {
	return &caller{addr: addr, agent: agent, jar: map[string]*http.Cookie{}}
}

// ask sends one request to a door and keeps the cookies.
func (c *caller) ask(t *testing.T, door http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.RemoteAddr = c.addr + ":40000"
	r.Header.Set("User-Agent", c.agent)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, k := range c.jar {
		r.AddCookie(k)
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, r)
	for _, k := range w.Result().Cookies() {
		c.jar[k.Name] = k
	}
	return w
}

const (
	lanPassword = "tre parole lunghe"
	lanBase     = "https://nas.local:8481"
)

// openToNetwork gives the pages a door to the network.
func (o *owner) openToNetwork() {
	o.LAN = &LAN{Addr: "0.0.0.0:8481", Names: []string{"nas.local", "192.168.7.2"}, Fingerprint: "AB:CD",
		Check: func(p string) (bool, error) { return p == lanPassword, nil }}
}

func (o *owner) here() string { return "http://" + o.Addr }

func secretOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("token")
}

// A link belongs to the browser that used it, and so does the cookie that it gave.
func TestALinkBelongsToOneBrowser(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	here, lan := o.Pages(), o.LANPages()
	secret := secretOf(t, o.NewLink())
	owner, thief := newCaller("127.0.0.1", "Firefox/143"), newCaller("127.0.0.1", "Chrome/140")
	if w := owner.ask(t, here, "POST", o.here()+"/open", "token="+secret); w.Code != http.StatusSeeOther {
		t.Fatalf("the first browser: %d", w.Code)
	}
	for what, w := range map[string]*httptest.ResponseRecorder{
		"looking":             thief.ask(t, here, "GET", o.here()+"/open?token="+secret, ""),
		"using":               thief.ask(t, here, "POST", o.here()+"/open", "token="+secret),
		"from the network":    newCaller("192.168.7.9", "Chrome/140").ask(t, lan, "POST", lanBase+"/open", "token="+secret),
		"the owner once more": newCaller("127.0.0.1", "Firefox/143").ask(t, here, "POST", o.here()+"/open", "token="+secret),
	} {
		if w.Code != http.StatusUnauthorized || len(w.Result().Cookies()) > 0 || !strings.Contains(w.Body.String(), "anagrafe-agent open") ||
			!strings.Contains(w.Body.String(), "Se non sei stato tu") {
			t.Errorf("a used link, %s: %d, cookies %v\n%s", what, w.Code, w.Result().Cookies(), w.Body)
		}
	}
	if w := owner.ask(t, here, "GET", o.here()+"/", ""); w.Code != http.StatusOK {
		t.Errorf("the first browser afterwards: %d", w.Code)
	}

	value := owner.jar[cookieName].Value
	copied := func(addr, agent, name string) *caller {
		c := newCaller(addr, agent)
		c.jar[name] = &http.Cookie{Name: name, Value: value}
		return c
	}
	if w := copied("127.0.0.1", "Chrome/140", cookieName).ask(t, here, "GET", o.here()+"/", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("its cookie in another browser: %d", w.Code)
	}
	for _, addr := range []string{"127.0.0.1", "192.168.7.9"} {
		c := copied(addr, "Firefox/143", lanCookieName)
		if w := c.ask(t, lan, "GET", lanBase+"/", ""); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
			t.Errorf("its cookie at the door to the network, from %s: %d", addr, w.Code)
		}
		if w := c.ask(t, lan, "POST", lanBase+"/scan", ""); w.Code != http.StatusUnauthorized {
			t.Errorf("its cookie at the door to the network, from %s, posting: %d", addr, w.Code)
		}
	}
	if o.scans > 0 {
		t.Error("a stranger started a search")
	}
}

func TestTheDoorToTheNetwork(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	lan := o.LANPages()
	owner := newCaller("192.168.7.20", "Firefox/143")
	if w := owner.ask(t, lan, "GET", lanBase+"/", ""); w.Header().Get("Location") != "/login" {
		t.Fatalf("without a session: %d %s", w.Code, w.Body)
	}
	if w := owner.ask(t, lan, "GET", lanBase+"/login", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "AB:CD") {
		t.Errorf("the login page: %d\n%s", w.Code, w.Body)
	}
	if w := owner.ask(t, lan, "POST", lanBase+"/login", "password=sbagliata"); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "sbagliata") ||
		len(w.Result().Cookies()) > 0 {
		t.Errorf("a wrong password: %d\n%s", w.Code, w.Body)
	}
	w := owner.ask(t, lan, "POST", lanBase+"/login", "password="+url.QueryEscape(lanPassword))
	if cookie := w.Header().Get("Set-Cookie"); w.Code != http.StatusSeeOther || !strings.HasPrefix(cookie, "__Host-anagrafe_agent=") || !strings.Contains(cookie, "; Secure") ||
		!strings.Contains(cookie, "; HttpOnly") || !strings.Contains(cookie, "; SameSite=Strict") || !strings.Contains(cookie, "Path=/") || strings.Contains(cookie, "Domain") {
		t.Fatalf("the password: %d, cookie %q", w.Code, cookie)
	}
	w = owner.ask(t, lan, "GET", lanBase+"/", "")
	if w.Code != http.StatusOK {
		t.Errorf("with the session: %d", w.Code)
	}
	if w.Header().Get("Strict-Transport-Security") != "" {
		t.Error("a certificate that nobody knows demands to be the only way")
	}
	moved := newCaller("192.168.7.21", "Firefox/143")
	moved.jar = owner.jar
	if w := moved.ask(t, lan, "GET", lanBase+"/", ""); w.Code != http.StatusSeeOther {
		t.Errorf("the cookie from another address: %d", w.Code)
	}
	// Its session is no session on loopback.
	moved.addr, moved.jar = "127.0.0.1", map[string]*http.Cookie{cookieName: {Name: cookieName, Value: owner.jar[lanCookieName].Value}}
	if w := moved.ask(t, o.Pages(), "GET", o.here()+"/", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("its cookie on loopback: %d", w.Code)
	}
	if w := owner.ask(t, o.Pages(), "POST", o.here()+"/login", "password="+lanPassword); w.Code != http.StatusUnauthorized {
		t.Errorf("loopback has a login: %d", w.Code)
	}
	// A one-time link opens here, too: the first name stands in it.
	g, err := o.giveLink(nil)
	if err != nil {
		t.Fatal(err)
	}
	link := g.json.(given).LANURL
	if !strings.HasPrefix(link, lanBase+"/open?token=") {
		t.Errorf("link %s", link)
	}
	if w := newCaller("192.168.7.30", "Safari/1").ask(t, lan, "POST", lanBase+"/open", "token="+secretOf(t, link)); w.Code != http.StatusSeeOther {
		t.Errorf("a link from the network: %d", w.Code)
	}
}

func TestTheDoorToTheNetworkKnowsItsNames(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	server := httptest.NewServer(o.LANPages())
	defer server.Close()
	reached := strings.TrimPrefix(server.URL, "http://") // as by a host's own address
	for host, want := range map[string]int{"nas.local:8481": http.StatusOK, "NAS.local:8481": http.StatusOK, "192.168.7.2:8481": http.StatusOK, reached: http.StatusOK,
		"nas.local": http.StatusMisdirectedRequest, "rebound.example:8481": http.StatusMisdirectedRequest, "localhost:8481": http.StatusMisdirectedRequest,
		"nas.local.rebound.example:8481": http.StatusMisdirectedRequest, o.Addr: http.StatusMisdirectedRequest, "": http.StatusMisdirectedRequest} {
		if host == "" {
			continue // net/http refuses it itself
		}
		r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL+"/login", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("asked as %q: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// Who guesses is stopped: each address after five, all together after forty, until
// the clock has gone on. Right after wrong begins anew.
func TestGuessingPasswords(t *testing.T) {
	o := start(t)
	clock := time.Now()
	o.sessions.now = func() time.Time { return clock }
	o.openToNetwork()
	tried := 0
	check := o.LAN.Check
	o.LAN.Check = func(p string) (bool, error) { tried++; return check(p) }
	lan := o.LANPages()
	login := func(addr, password string) int {
		t.Helper()
		return newCaller(addr, "x").ask(t, lan, "POST", lanBase+"/login", "password="+url.QueryEscape(password)).Code
	}
	for range maxTries - 1 {
		login("192.168.7.50", "no")
	}
	if got := login("192.168.7.50", lanPassword); got != http.StatusSeeOther {
		t.Fatalf("the fifth try, right: %d", got)
	}
	for range maxTries {
		if got := login("192.168.7.50", "no"); got != http.StatusUnauthorized {
			t.Fatalf("wrong: %d", got)
		}
	}
	before := tried
	w := newCaller("192.168.7.50", "x").ask(t, lan, "POST", lanBase+"/login", "password="+url.QueryEscape(lanPassword))
	if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), "15 minuti") || tried != before {
		t.Errorf("the sixth: %d, tried %t\n%s", w.Code, tried != before, w.Body)
	}
	if got := login("192.168.7.51", lanPassword); got != http.StatusSeeOther {
		t.Errorf("another address: %d", got)
	}
	for i := range maxAll {
		login("192.168.8."+string(rune('0'+i/5)), "no")
	}
	if got := login("192.168.9.1", lanPassword); got != http.StatusTooManyRequests {
		t.Errorf("after too many of all: %d", got)
	}
	// The machine itself is not kept out by it.
	if w := newCaller("127.0.0.1", "x").ask(t, o.Pages(), "POST", o.here()+"/open", "token="+secretOf(t, o.NewLink())); w.Code != http.StatusSeeOther {
		t.Errorf("a link meanwhile: %d", w.Code)
	}
	clock = clock.Add(tryWindow)
	if got := login("192.168.7.50", lanPassword); got != http.StatusSeeOther {
		t.Errorf("a quarter of an hour later: %d", got)
	}
}

// Tries side by side are counted before they are compared.
func TestGuessingSideBySide(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	var mu sync.Mutex
	tried := 0
	o.LAN.Check = func(string) (bool, error) { mu.Lock(); defer mu.Unlock(); tried++; return false, nil }
	lan := o.LANPages()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { newCaller("192.168.7.50", "x").ask(t, lan, "POST", lanBase+"/login", "password=x") })
	}
	all.Wait()
	if tried != maxTries {
		t.Errorf("%d passwords were compared", tried)
	}
}

// Wrong links are slowed down; a right one is never.
func TestGuessingLinks(t *testing.T) {
	o := start(t)
	here, c := o.Pages(), newCaller("127.0.0.1", "x")
	for range maxLinks {
		if w := c.ask(t, here, "GET", o.here()+"/open?token=x", ""); w.Code != http.StatusUnauthorized {
			t.Fatalf("%d", w.Code)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		if w := c.ask(t, here, method, o.here()+"/open?token=x", "token=x"); w.Code != http.StatusTooManyRequests {
			t.Errorf("%s of one more: %d", method, w.Code)
		}
	}
	if w := c.ask(t, here, "POST", o.here()+"/open", "token="+secretOf(t, o.NewLink())); w.Code != http.StatusSeeOther {
		t.Errorf("a right one: %d", w.Code)
	}
}

// The owner sees where the pages are open and closes what is not his.
func TestClosingSessions(t *testing.T) {
	o := start(t)
	here := o.Pages()
	open := func(agent string, to role) *caller {
		t.Helper()
		c := newCaller("127.0.0.1", agent)
		c.ask(t, here, "POST", o.here()+"/open", "token="+o.sessions.newLink(to, linkLife))
		return c
	}
	is := func(c *caller, open bool) {
		t.Helper()
		if w := c.ask(t, here, "GET", o.here()+"/status", ""); (w.Code == http.StatusOK) != open {
			t.Errorf("%s: %d, want open %t", c.agent, w.Code, open)
		}
	}
	owner, other, technician := open("Firefox/143 Windows", roleOwner), open("Chrome/140 Android", roleOwner), open("Safari/1 iPhone", roleTechnician)
	w := owner.ask(t, here, "GET", o.here()+"/status", "")
	for _, want := range []string{"Firefox, Windows", "Chrome, Android", "Safari, iPhone", "tecnico", "questo", "Aperte in 3 browser"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the owner is not told %q", want)
		}
	}
	if w := technician.ask(t, here, "GET", o.here()+"/status", ""); strings.Contains(w.Body.String(), "Firefox") {
		t.Error("a technician is told who else is there")
	}
	_, all := o.sessions.all()
	for _, try := range []string{"id=" + all[0].id, "others=yes"} {
		if w := technician.ask(t, here, "POST", o.here()+"/close", try); w.Code != http.StatusForbidden {
			t.Errorf("a technician closes %s: %d", try, w.Code)
		}
	}
	is(owner, true)
	is(other, true)
	owner.ask(t, here, "POST", o.here()+"/close", "id="+all[1].id)
	is(other, false)
	is(technician, true)
	technician.ask(t, here, "POST", o.here()+"/close", "")
	is(technician, false)
	is(owner, true)
	other = open("Chrome/140 Android", roleOwner)
	unused := o.sessions.newLink(roleTechnician, helperLife)
	owner.ask(t, here, "POST", o.here()+"/close", "others=yes")
	is(other, false)
	is(owner, true)
	if w := other.ask(t, here, "POST", o.here()+"/open", "token="+unused); w.Code != http.StatusUnauthorized {
		t.Errorf("a link that was taken back: %d", w.Code)
	}
	if w := owner.ask(t, here, "POST", o.here()+"/close", ""); w.Header().Get("Location") != "/?done=closed" {
		t.Errorf("closing the own one leads to %s", w.Header().Get("Location"))
	}
	is(owner, false)
}

// A technician's link: shown once, for a day, told of, taken back.
func TestHelpersLink(t *testing.T) {
	o := start(t)
	clock := time.Now()
	o.sessions.now = func() time.Time { return clock }
	o.signIn(t)
	make := func() string {
		t.Helper()
		var got struct{ URL string }
		if status := o.api(t, "POST", "/helper", nil, &got); status != http.StatusOK {
			t.Fatalf("%d", status)
		}
		return secretOf(t, got.URL)
	}
	status, body, _ := o.send(t, "POST", "/helper", "")
	if status != http.StatusOK || !strings.Contains(body, o.here()+"/open?token=") || !strings.Contains(body, "mailto:?subject=") || !strings.Contains(body, "data:image/png;base64,") ||
		!strings.Contains(body, "solo su questo computer") {
		t.Fatalf("%d\n%s", status, body)
	}
	if _, body, _ := o.send(t, "GET", "/helper", ""); strings.Contains(body, "token=") || !strings.Contains(body, "non ancora aperto") {
		t.Errorf("the link is shown again, or not told of\n%s", body)
	}
	secret := make()
	here, technician := o.Pages(), newCaller("127.0.0.1", "Chrome/140 Windows")
	clock = clock.Add(helperLife - time.Hour)
	if w := technician.ask(t, here, "POST", o.here()+"/open", "token="+secret); w.Code != http.StatusSeeOther || technician.jar[cookieName].MaxAge != 3600 {
		t.Errorf("used an hour before its end: %d, for %d s", w.Code, technician.jar[cookieName].MaxAge)
	}
	if w := technician.ask(t, here, "POST", o.here()+"/scan", ""); w.Code != http.StatusSeeOther {
		t.Errorf("the technician searches: %d", w.Code)
	}
	<-o.Review.start()
	if w := technician.ask(t, here, "POST", o.here()+"/enrol", "code=SBAGLIATO"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("the technician types a wrong code: %d", w.Code)
	}
	o.signIn(t)
	if _, body, _ := o.send(t, "GET", "/helper", ""); !strings.Contains(body, "ha cercato le telecamere") || strings.Contains(body, "ha scritto il codice") {
		t.Errorf("the owner is not told what the technician did, or of what was refused\n%s", body)
	}
	clock = clock.Add(time.Hour + time.Second)
	if w := technician.ask(t, here, "GET", o.here()+"/", ""); w.Code != http.StatusUnauthorized {
		t.Errorf("after a day: %d", w.Code)
	}

	o.openToNetwork()
	o.signIn(t)
	if _, body, _ := o.send(t, "POST", "/helper", ""); !strings.Contains(body, lanBase+"/open?token=") || !strings.Contains(body, "AB:CD") || strings.Contains(body, "solo su questo computer") {
		t.Error("with a door to the network the link does not lead there")
	}
}

func TestThePasswordOfTheDoor(t *testing.T) {
	o := start(t)
	o.openToNetwork()
	o.signIn(t)
	if status, _, _ := o.send(t, "POST", "/lan", "password=x&again=x"); status != http.StatusConflict {
		t.Errorf("where none can be set: %d", status)
	}
	kept := ""
	o.Password = func(p string) error {
		if len(p) < 12 {
			return protocol.FieldErrors{{Field: "password", Why: "too short"}}
		}
		if p == "il disco è pieno" {
			return errors.New("no space")
		}
		kept = p
		return nil
	}
	lan := o.LANPages()
	guest := newCaller("192.168.7.20", "x")
	guest.ask(t, lan, "POST", lanBase+"/login", "password="+url.QueryEscape(lanPassword))
	for body, want := range map[string]int{"password=corta&again=corta": 422, "password=una+lunga+password&again=un'altra+password": 422,
		"password=il+disco+%C3%A8+pieno&again=il+disco+%C3%A8+pieno": 500} {
		if status, text, _ := o.send(t, "POST", "/lan", body); status != want || strings.Contains(text, "lunga") || kept != "" {
			t.Errorf("%s: %d, kept %q", body, status, kept)
		}
	}
	if w := guest.ask(t, lan, "GET", lanBase+"/", ""); w.Code != http.StatusOK {
		t.Errorf("who came in from the network: %d", w.Code)
	}
	if status, _, h := o.send(t, "POST", "/lan", "password=una+lunga+password&again=una+lunga+password"); status != http.StatusSeeOther ||
		h.Get("Location") != "/lan?done=lan" || kept != "una lunga password" {
		t.Errorf("%d, kept %q", status, kept)
	}
	if w := guest.ask(t, lan, "GET", lanBase+"/", ""); w.Code != http.StatusSeeOther {
		t.Errorf("who came in by the old password: %d", w.Code)
	}
}

// No link, cookie or password of these ways in stands in the log.
func TestNothingSecretIsLogged(t *testing.T) {
	o := start(t)
	var mu sync.Mutex
	var logged bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(lockedWriter{&mu, &logged}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.openToNetwork()
	o.Password = func(string) error { return errors.New("no space") }
	here, lan := o.Pages(), o.LANPages()
	owner, guest, technician := newCaller("127.0.0.1", "x"), newCaller("192.168.7.9", "y"), newCaller("127.0.0.1", "z")
	link, lent, wrong := secretOf(t, o.NewLink()), o.sessions.newLink(roleTechnician, helperLife), "NONESISTE7G"
	for range 2 {
		owner.ask(t, here, "GET", o.here()+"/open?token="+link, "")
		owner.ask(t, here, "POST", o.here()+"/open?token="+link, "token="+link)
		technician.ask(t, here, "POST", o.here()+"/open", "token="+lent)
	}
	for range maxLinks + 1 {
		guest.ask(t, lan, "POST", lanBase+"/open", "token="+wrong)
	}
	for range maxTries + 1 {
		guest.ask(t, lan, "POST", lanBase+"/login", "password=sbagliatissima")
	}
	other := newCaller("192.168.7.10", "y")
	other.ask(t, lan, "POST", lanBase+"/login", "password="+url.QueryEscape(lanPassword))
	technician.ask(t, here, "POST", o.here()+"/scan", "")
	technician.ask(t, here, "POST", o.here()+"/approve", "")
	technician.ask(t, here, "POST", o.here()+"/enrol", "code=CODICESEGRETO")
	<-o.Review.start()
	owner.ask(t, here, "POST", o.here()+"/lan", "password=nuova+password+lunga&again=nuova+password+lunga")
	owner.ask(t, here, "POST", o.here()+"/close", "others=yes")
	owner.ask(t, here, "POST", o.here()+"/contact", "", "Origin", "http://attaccante.example")
	mu.Lock()
	defer mu.Unlock()
	if !strings.Contains(logged.String(), "wrong password") || !strings.Contains(logged.String(), "done by a technician") {
		t.Fatalf("the log was not seen:\n%s", &logged)
	}
	secrets := []string{link, lent, wrong, "sbagliatissima", lanPassword, "nuova password", "nuova+password", "CODICESEGRETO", "token="}
	for _, c := range []*caller{owner, other, technician} {
		for _, k := range c.jar {
			secrets = append(secrets, k.Value)
		}
	}
	if len(secrets) < 12 {
		t.Fatalf("not all came in: %v", secrets)
	}
	for _, s := range secrets {
		if strings.Contains(logged.String(), s) {
			t.Errorf("%q is in the log:\n%s", s, &logged)
		}
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	to io.Writer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}
