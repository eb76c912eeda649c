package review

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"anagrafe/protocol/pages/pagestest"
)

// evil is another program's page: its content is what a test gives it.
type evil struct {
	server *httptest.Server
	mu     sync.Mutex
	html   string
}

func startEvil(t *testing.T) *evil {
	t.Helper()
	e := &evil{}
	e.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>altro</title><body>"+e.html)
	}))
	t.Cleanup(e.server.Close)
	return e
}

// shows sets the content and gives its address under a host's name.
func (e *evil) shows(host, html string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.html = html
	return strings.Replace(e.server.URL, "127.0.0.1", host, 1) + "/"
}

// words is what the page on show says.
func words(b *pagestest.Tab) string { return pagestest.Eval[string](b, "document.body.innerText") }

const evilHost = "attaccante.example"

// In the owner's browser, with the pages open: a page of another origin can neither
// post to them nor frame them, and a stranger's name that leads to this computer
// opens nothing. The other page stands once on another host and once on this very
// one, at another port: browsers send the cookie along there, SameSite or not.
func TestAnotherPageInTheOwnersBrowser(t *testing.T) {
	o := start(t)
	e := startEvil(t)
	b := pagestest.Stranger(t, map[string]string{"host-resolver-rules": "MAP " + evilHost + " 127.0.0.1"})
	b.Visit(o.NewLink())
	b.Press("main button")
	b.Visit(o.here() + "/contact")
	if !strings.Contains(words(b), "Chi chiamare") && !strings.Contains(words(b), "chiamare") {
		t.Fatalf("the pages are not open:\n%s", words(b))
	}
	for _, host := range []string{evilHost, "127.0.0.1"} {
		b.Visit(e.shows(host, fmt.Sprintf(`<form method="post" action="%s/contact"><input name="name" value="Ladro"><input name="phone" value="112"><button>gratis</button></form>`, o.here())))
		b.Press("button")
		if text := words(b); !strings.Contains(text, "arriva da un'altra pagina") {
			t.Errorf("a form posted from %s is answered:\n%s", host, text)
		}
		b.Visit(e.shows(host, ""))
		for _, mode := range []string{"no-cors", "cors"} {
			got := pagestest.Eval[string](b, fmt.Sprintf(`fetch("%s/scan", {method: "POST", mode: "%s", credentials: "include"}).then(r => r.type + r.status, e => "refused")`, o.here(), mode))
			if got != "refused" && got != "opaque0" {
				t.Errorf("a script of %s posts, %s: %s", host, mode, got)
			}
			got = pagestest.Eval[string](b, fmt.Sprintf(`fetch("%s/contact", {mode: "%s", credentials: "include"}).then(r => r.text(), e => "")`, o.here(), mode))
			if got != "" {
				t.Errorf("a script of %s reads, %s: %q", host, mode, got)
			}
		}
		b.Visit(e.shows(host, fmt.Sprintf(`<iframe src="%s/contact" width="900" height="600" onload="document.title='done'"></iframe>`, o.here())))
		b.Until("document.title === 'done'")
		if frames := b.Frames(); len(frames) != 1 || !strings.HasPrefix(frames[0], "chrome-error:") {
			t.Errorf("a frame of %s shows %q", host, frames)
		}
	}
	if contacts := o.known(t).Contacts[""]; len(contacts) > 0 {
		t.Errorf("another page set a contact: %v", contacts)
	}
	if since, _ := o.search.state(); !since.IsZero() || o.scans > 0 {
		t.Error("another page started a search")
	}

	rebound := strings.Replace(o.here(), "127.0.0.1", evilHost, 1)
	for _, path := range []string{"/", "/privacy", "/open?token=x"} {
		b.Visit(rebound + path)
		if text := words(b); !strings.Contains(text, "This is the address of a program on this computer") {
			t.Errorf("%s answers to another name:\n%s", path, text)
		}
	}
	status := pagestest.Eval[int](b, `fetch("/scan", {method: "POST"}).then(r => r.status)`)
	if status != http.StatusMisdirectedRequest {
		t.Errorf("a script under another name posts: %d", status)
	}
	// The owner's own page goes on.
	b.Visit(o.here() + "/contact")
	if !strings.Contains(words(b), "chiamare") {
		t.Errorf("the owner's page afterwards:\n%s", words(b))
	}
}

// A link that was used, and the cookie that it gave, open nothing in a second
// browser, which is told what to do; the first one goes on.
func TestASecondBrowser(t *testing.T) {
	o := start(t)
	link := o.NewLink()
	owner := pagestest.Stranger(t, nil)
	second := pagestest.Stranger(t, map[string]string{"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"})
	second.Visit(link) // both have it open, as a messenger's preview has
	owner.Visit(link)
	owner.Press("main button")
	if text := words(owner); strings.Contains(text, "Serve un collegamento") {
		t.Fatalf("the first browser: %s", text)
	}
	second.Press("main button")
	for range 2 {
		if text := words(second); !strings.Contains(text, "già stato usato") || !strings.Contains(text, "Se non sei stato tu") || !strings.Contains(text, "anagrafe-agent open") {
			t.Errorf("the second browser is told:\n%s", text)
		}
		second.Visit(link)
	}
	if n := second.CopyCookies(owner, o.here()); n == 0 {
		t.Fatal("there was no cookie to copy")
	}
	second.Visit(o.here() + "/contact")
	if text := words(second); !strings.Contains(text, "Serve un collegamento") {
		t.Errorf("a copied cookie opens in a second browser:\n%s", text)
	}
	owner.Visit(o.here() + "/contact")
	if text := words(owner); strings.Contains(text, "Serve un collegamento") {
		t.Errorf("the first browser afterwards:\n%s", text)
	}
}
