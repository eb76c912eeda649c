package web

import (
	"net/http/httptest"
	"testing"
	"time"
)

// deadlines is a writer that notes what it is given.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

// A long request has its time for what is sent and for what is answered; a stream has it
// anew with each write.
func TestDeadlines(t *testing.T) {
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	before := time.Now()
	Long(d, time.Hour)
	if d.read.Before(before.Add(time.Hour)) || !d.write.Equal(d.read) {
		t.Errorf("until %v to be read, %v to be answered", d.read, d.write)
	}
	if _, err := Streamed(d, 2*time.Hour).Write([]byte("x")); err != nil || d.write.Before(before.Add(2*time.Hour)) || d.Body.String() != "x" {
		t.Errorf("a write until %v, %v", d.write, err)
	}
}
