package protocol

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
)

func receiptSigner(t testing.TB) (note.Signer, string) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "telecamere.comune.example.it")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s, public
}

func someReceipt() Receipt {
	return Receipt{MessageID: "3b0d4f0e-6f52-4f1c-8a53-0d2f4a9c1e02", SiteID: "0b6a2f64-7c1e-4b70-9a53-0d2f4a9c1e02",
		SHA256: sha256.Sum256([]byte("message")), RecordedAt: time.Date(2026, 11, 22, 8, 5, 37, 123456000, time.UTC)}
}

// What was signed reads back, and signing again gives the same bytes: a duplicate
// has the first receipt.
func TestReceiptNote(t *testing.T) {
	s, key := receiptSigner(t)
	r := someReceipt()
	signed, err := SignReceipt(r, s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenReceipt(signed, key)
	if err != nil {
		t.Fatal(err)
	}
	r.Note = signed
	if got != r {
		t.Errorf("read %+v, signed %+v", got, r)
	}
	for _, line := range []string{"\nmessage " + r.MessageID + "\n", "\nsite " + r.SiteID + "\n", "\nrecorded 2026-11-22T08:05:37.123456Z\n", "\nsha256 ", "\n— telecamere.comune.example.it "} {
		if !strings.Contains(signed, line) {
			t.Errorf("no line %q in\n%s", line, signed)
		}
	}
	duplicate := r
	duplicate.Duplicate, duplicate.Note, duplicate.OwnerCode = true, "", NewCode()
	if again, err := SignReceipt(duplicate, s); err != nil || again != signed {
		t.Errorf("the duplicate's is another one: %v\n%s", err, again)
	}
	if len(signed) > MaxReceipt/4 {
		t.Errorf("%d bytes", len(signed))
	}
}

// A receipt that was changed, that another key signed, or that does not say what
// a receipt says, is none.
func TestReceiptsThatAreNone(t *testing.T) {
	s, key := receiptSigner(t)
	other, otherKey := receiptSigner(t)
	signed, err := SignReceipt(someReceipt(), s)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(text string, s note.Signer) string {
		t.Helper()
		b, err := note.Sign(&note.Note{Text: text}, s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	text, _, _ := strings.Cut(signed, "\n— ")
	cases := map[string]string{
		"empty": "", "noise": "hello\n", "unsigned": text, "changed": strings.Replace(signed, "recorded 2026", "recorded 2025", 1),
		"another key": sign(text, other), "says something twice": sign(text+"site x\n", s), "too long": sign(text+strings.Repeat("a", MaxReceipt)+"\n", s),
	}
	for _, key := range []string{"message", "site", "sha256", "recorded"} {
		cases["without "+key] = sign(strings.Replace(text, "\n"+key+" ", "\nsays nothing of "+key+" ", 1), s)
	}
	cases["a short hash"] = sign(strings.Replace(text, "\nsha256 ", "\nsha256 zz", 1), s)
	cases["no time"] = sign(strings.Replace(text, "\nrecorded 2026", "\nrecorded once 2026", 1), s)
	for name, text := range cases {
		if r, err := OpenReceipt(text, key); !errors.Is(err, errReceipt) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for _, bad := range []string{"", "x", otherKey} {
		if _, err := OpenReceipt(signed, bad); !errors.Is(err, errReceipt) {
			t.Errorf("key %q: %v", bad, err)
		}
	}
	if ParseReceiptKey(key) != nil || ParseReceiptKey("x") == nil {
		t.Error("a key is not told from what is none")
	}
}

func FuzzReceipt(f *testing.F) {
	s, key := receiptSigner(f)
	signed, err := SignReceipt(someReceipt(), s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add("message a\nsite b\nsha256 c\nrecorded d\n")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := OpenReceipt(text, key); err == nil && text != signed {
			t.Errorf("%+v from what nobody signed", r)
		}
		if r, err := readReceipt(text); err == nil && (r.MessageID == "" || r.SiteID == "") {
			t.Errorf("%+v", r)
		}
	})
}

// A code that is derived is one like any other, and the same each time.
func TestCodeOf(t *testing.T) {
	sum := sha256.Sum256([]byte("seed"))
	c := CodeOf([CodeBytes]byte(sum[:CodeBytes]))
	if typed, err := ParseCode(strings.ToLower(c.String())); err != nil || typed != c || c != CodeOf([CodeBytes]byte(sum[:CodeBytes])) {
		t.Errorf("%v, %v", typed == c, err)
	}
	sum[0]++
	if c == CodeOf([CodeBytes]byte(sum[:CodeBytes])) {
		t.Error("other bytes give the same code")
	}
}
