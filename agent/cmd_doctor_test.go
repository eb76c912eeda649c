package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDoctorBeforeEnrolment: what is wrong on this machine is found without any
// line, and nothing is made where nothing was.
func TestDoctorBeforeEnrolment(t *testing.T) {
	doctor := func(dir string) (d diagnosis, code int) {
		t.Helper()
		var out bytes.Buffer
		code = run(t.Context(), console{strings.NewReader(""), &out, io.Discard}, []string{"doctor", "-json", "-data", dir})
		if err := json.Unmarshal(out.Bytes(), &d); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		return d, code
	}
	state := func(d diagnosis, part string) string {
		for _, f := range d.Findings {
			if string(f.Part) == part {
				return string(f.State)
			}
		}
		return ""
	}
	absent := filepath.Join(t.TempDir(), "agent")
	d, code := doctor(absent)
	if code != exitFailed || d.Healthy || state(d, "files") != "bad" || state(d, "code") != "bad" || d.Transport != "" {
		t.Errorf("of a directory that is not there: exit %d, %+v", code, d)
	}
	if _, err := os.Stat(absent); !os.IsNotExist(err) {
		t.Error("doctor made the directory")
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if d, _ := doctor(open); state(d, "files") != "bad" {
		t.Errorf("of a directory that others can read: %+v", d)
	}
	if err := os.Chmod(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(open, "secrets.key"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if d, _ := doctor(open); state(d, "files") != "bad" {
		t.Errorf("of a key that others can read: %+v", d)
	}
	if err := os.Chmod(filepath.Join(open, "secrets.key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if d, _ := doctor(open); state(d, "files") != "good" || state(d, "service") != "slow" {
		t.Errorf("of a closed directory: %+v", d)
	}
}

// doctor -self says that the program works here, and when it does not.
func TestDoctorOfItself(t *testing.T) {
	for _, test := range []struct {
		name, temp string
		code       int
		store      string
	}{
		{"a machine", t.TempDir(), exitDone, "good"},
		{"one that cannot be written to", filepath.Join(t.TempDir(), "absent"), exitFailed, "bad"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("TMPDIR", test.temp)
			t.Setenv("TMP", test.temp)
			var out bytes.Buffer
			var d diagnosis
			code := run(t.Context(), console{strings.NewReader(""), &out, io.Discard}, []string{"doctor", "-self", "-json"})
			if err := json.Unmarshal(out.Bytes(), &d); err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			if code != test.code || d.Healthy != (code == exitDone) || len(d.Findings) != 4 {
				t.Errorf("exit %d, %+v", code, d)
			}
			for _, f := range d.Findings {
				if want := map[bool]string{true: test.store, false: "good"}[f.Part == partStore]; string(f.State) != want {
					t.Errorf("%s is %s, not %s: %s", f.Part, f.State, want, f.Found)
				}
			}
			if left, _ := os.ReadDir(test.temp); len(left) != 0 {
				t.Errorf("%v is left behind", left)
			}
		})
	}
}
