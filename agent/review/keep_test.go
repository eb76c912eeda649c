package review

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/mod/sumdb/note"

	"anagrafe/protocol"
)

const ownerLink = "https://telecamere.example/site"

// acknowledge gives all that waits a signed receipt, and the owner's code.
func acknowledge(t *testing.T, o *owner) protocol.Code {
	t.Helper()
	secret, _, err := note.GenerateKey(rand.Reader, "telecamere.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	code := protocol.NewCode()
	for {
		id, site, raw, ok, err := o.Inventory.Next(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return code
		}
		r := protocol.Receipt{MessageID: id, SiteID: site, SHA256: sha256.Sum256(raw), RecordedAt: time.Now(), OwnerLink: ownerLink, OwnerCode: code}
		if r.Note, err = protocol.SignReceipt(r, signer); err != nil {
			t.Fatal(err)
		}
		if err := o.Inventory.Acknowledge(t.Context(), r, "h3"); err != nil {
			t.Fatal(err)
		}
	}
}

// between gives what stands between two texts in a page.
func between(t *testing.T, page, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, from)
	if !ok {
		t.Fatalf("no %q", from)
	}
	text, _, _ := strings.Cut(rest, to)
	return text
}

// The sheet has link and code, the square leads to the page without the code;
// the receipt is saved as it was signed.
func TestTheSheetAndTheReceipt(t *testing.T) {
	o := start(t)
	o.signIn(t)
	weekly(t, o)
	all := o.known(t).Cameras
	if err := declareOne(t, o, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, page, _ := o.send(t, "GET", "/status", ""); strings.Contains(page, "/keep") {
		t.Error("there is a sheet before any receipt")
	}
	code := acknowledge(t, o)
	for _, path := range []string{"/keep", "/status"} {
		status, page, _ := o.send(t, "GET", path, "")
		if status != http.StatusOK || !strings.Contains(page, code.String()) || !strings.Contains(page, ownerLink) {
			t.Errorf("%s answers %d, without link or code", path, status)
		}
	}
	_, page, _ := o.send(t, "GET", "/keep", "")
	square, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(between(t, page, `src="data:image/png;base64,`, `"`), "&#43;", "+"))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(square))
	if err != nil {
		t.Fatal(err)
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := qrcode.NewQRCodeReader().Decode(bitmap, nil); err != nil || text.GetText() != ownerLink {
		t.Errorf("the square says %v, %v", text, err)
	}
	var answer struct {
		Sites []keepJSON `json:"sites"`
	}
	if status := o.api(t, "GET", "/keep", nil, &answer); status != http.StatusOK || len(answer.Sites) != 1 || answer.Sites[0].Code != code.String() || answer.Sites[0].Leaving {
		t.Errorf("%d %+v", status, answer)
	}
	sent, err := o.Inventory.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, page, _ = o.send(t, "GET", "/outbox", "")
	saved, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(between(t, page, `href="data:text/plain;charset=utf-8;base64,`, `"`), "&#43;", "+"))
	if err != nil || string(saved) != sent[0].Receipt {
		t.Errorf("saved %q, %v", saved, err)
	}
	if err := o.Inventory.WithdrawSite(t.Context(), siteID, protocol.Approval{}); err != nil {
		t.Fatal(err)
	}
	if _, page, _ := o.send(t, "GET", "/keep", ""); !strings.Contains(page, "Non ancora tolta") {
		t.Error("a withdrawal that waits is not shown as such")
	}
}
