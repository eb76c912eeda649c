package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestCodeCatchesSlips(t *testing.T) {
	for range 50 {
		c := NewCode()
		for i := range len(c.s) {
			for _, r := range codeAlphabet {
				wrong := c.s[:i] + string(r) + c.s[i+1:]
				_, err := ParseCode(wrong)
				if (err == nil) != (wrong == c.s) {
					t.Fatalf("%s typed as %s: error %v", c.s, wrong, err)
				}
			}
			for j := range i {
				b := []byte(c.s)
				b[i], b[j] = b[j], b[i]
				_, err := ParseCode(string(b))
				if (err == nil) != (c.s[i] == c.s[j]) {
					t.Fatalf("%s typed as %s: error %v", c.s, b, err)
				}
			}
		}
	}
}

func TestParseCode(t *testing.T) {
	const plain = "0123456789AB" // its check character is fixed for ever
	whole := plain + string(checkSymbol(plain))
	want := Code{whole}
	if got := want.String(); got != "0123-4567-89AB-"+whole[12:] {
		t.Errorf("grouped as %s", got)
	}
	for _, typed := range []string{
		whole, strings.ToLower(whole), want.String(), "  " + want.String() + "\r\n", "O12345-6789ab" + whole[12:],
		"0i23.4567_89AB " + whole[12:], "0l23\u20134567\u00a089AB" + whole[12:],
	} {
		if got, err := ParseCode(typed); err != nil || got != want || got.Hash() != want.Hash() {
			t.Errorf("%q: %v, %v", typed, got, err)
		}
	}
	for _, typed := range []string{
		"", "-", whole[:12], whole + "0", strings.Repeat("0", 1<<16), "0123-4567-89AU-" + whole[12:], "0123-4567-89A\u0412-" + whole[12:],
		"0123\x004567" + whole[8:], "\xff" + whole[1:], "0123-4567-89BA-" + whole[12:],
	} {
		got, err := ParseCode(typed)
		if !errors.Is(err, errCode) || got != (Code{}) {
			t.Errorf("%.40q: %v, %v", typed, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "0123") {
			t.Errorf("the error repeats the code: %v", err)
		}
	}
}

// TestCodeHash: registers keep hashes of codes that were handed out on paper.
func TestCodeHash(t *testing.T) {
	c, err := ParseCode("0123-4567-89AB-V")
	if err != nil {
		t.Fatal(err)
	}
	const want = "474a19abc9f7095e490d8bf7d1b6e887b614181c0c51e075a718ae9248de5adf"
	if sum := c.Hash(); hex.EncodeToString(sum[:]) != want {
		t.Errorf("hash %x, want %s", sum, want)
	}
}

func TestCodesDiffer(t *testing.T) {
	seen := map[Code]bool{}
	used := map[rune]bool{}
	for range 1000 {
		c := NewCode()
		if seen[c] {
			t.Fatal("a random code came twice")
		}
		seen[c] = true
		for _, r := range c.s {
			used[r] = true
		}
	}
	if len(used) != 32 {
		t.Errorf("codes use %d symbols of 32", len(used))
	}
}

func TestCodeIsNotLogged(t *testing.T) {
	var b bytes.Buffer
	c := NewCode()
	slog.New(slog.NewTextHandler(&b, nil)).Info("enrol", "code", c)
	if strings.Contains(b.String(), c.String()) || strings.Contains(b.String(), c.s) {
		t.Errorf("the code is in the log: %s", b.String())
	}
}

func TestParseLink(t *testing.T) {
	c := NewCode()
	pin := PinOf([]byte("key"))
	for text, want := range map[string]Link{
		"https://anagrafe.example.it:8443/enrol#code=" + c.String():             {"https://anagrafe.example.it:8443", c, ""},
		" https://Anagrafe.Example.it/enrol#code=" + c.s + "&pin=" + pin + "\n": {"https://anagrafe.example.it", c, pin},
		"https://[::1]:8443/enrol#pin=" + pin + "&code=" + c.String():           {"https://[::1]:8443", c, pin},
		"https://127.0.0.1:8443/enrol#code=" + c.String() + "&lang=it":          {"https://127.0.0.1:8443", c, ""},
	} {
		got, err := ParseLink(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
		if again, err := ParseLink(got.String()); err != nil || again != got {
			t.Errorf("%s: written as %s, read as %+v, %v", text, got, again, err)
		}
	}
	for _, text := range []string{
		"", "x", c.String(), "http://a.it/enrol#code=" + c.s, "https:///enrol#code=" + c.s, "https://u:p@a.it/enrol#code=" + c.s,
		"https://a.it/other#code=" + c.s, "https://a.it/enrol?code=" + c.s, "https://a.it/enrol?x=1#code=" + c.s, "https://a.it/enrol",
		"https://a.it/enrol#code=" + c.s + "&code=" + c.s, "https://a.it/enrol#code=AAAA", "https://a.it:0/enrol#code=" + c.s,
		"https://a.it:99999/enrol#code=" + c.s, "https://a it/enrol#code=" + c.s, "https://a.it/enrol#code=" + c.s + "&pin=",
		"https://a.it/enrol#code=" + c.s + "&pin=md5:abc", "https://a.it/enrol#code=" + c.s + "&pin=" + pin[:len(pin)-1],
		"https://a.it/enrol#code=" + c.s + "&pin=" + pin + "&pin=" + pin, "https://a.it/enrol#code=" + c.s + "&x=" + strings.Repeat("x", 2000),
	} {
		got, err := ParseLink(text)
		if !errors.Is(err, errCode) || got != (Link{}) {
			t.Errorf("%.80s: %+v, %v", text, got, err)
		}
		if err != nil && (strings.Contains(err.Error(), c.s) || strings.Contains(err.Error(), c.String())) {
			t.Errorf("the error repeats the code: %v", err)
		}
	}
}

func FuzzParseCode(f *testing.F) {
	f.Add(NewCode().String())
	f.Add("0123-4567-89ab-c")
	f.Add("ILO\u2013\u00a0 ._-")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCode(s)
		if err != nil {
			if !errors.Is(err, errCode) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if again, err := ParseCode(c.String()); err != nil || again != c {
			t.Errorf("%q is %v, read again %v, %v", s, c, again, err)
		}
	})
}

func FuzzParseLink(f *testing.F) {
	f.Add("https://anagrafe.example.it:8443/enrol#code=" + NewCode().String() + "&pin=" + PinOf(nil))
	f.Add("https://[fe80::1%25eth0]/enrol#code=x")
	f.Add("https://a.it/enrol#code=%41&pin=%zz")
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseLink(s)
		if err != nil {
			if !errors.Is(err, errCode) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if again, err := ParseLink(l.String()); err != nil || again != l {
			t.Errorf("%q is %+v, read again %+v, %v", s, l, again, err)
		}
	})
}
