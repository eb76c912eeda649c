package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// What a mail server pipes is no error for it, whatever it is: it would send it back.
func TestBounceCommand(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	notification := "From: Mailer-Daemon@mail.example\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n\n--b\n" +
		"Content-Type: text/rfc822-headers\n\nMessage-ID: <" + uuid.NewString() + "@comune.example.it>\n\n--b--\n"
	for in, want := range map[string]string{
		notification:                                       "known, or it was sent over a week ago",
		"From: anna@example.it\n\nCiao\n":                  "no message that was sent from here",
		strings.Repeat("x", 2<<20):                         "no message that was sent from here",
		strings.Replace(notification, "5.1.1", "4.1.1", 1): "nothing is decided",
	} {
		var out, errs bytes.Buffer
		if got := run(t.Context(), console{strings.NewReader(in), &out, &errs}, []string{"bounce", "-data", data}); got != exitDone || !strings.Contains(out.String(), want) {
			t.Errorf("exit %d, %q, want %q\n%s", got, out.String(), want, &errs)
		}
	}
}
