package inventory

import (
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"anagrafe/agent/interrogate"
)

// laterSchema has this process be a later program, whose schema goes one step further,
// until back is called, or the test ends. As a kind with one value more would want it,
// the step makes the table of messages anew.
func laterSchema(t *testing.T) (back func()) {
	t.Helper()
	today := schema
	files, err := fs.Glob(today, "schema/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	later := fstest.MapFS{}
	made := ""
	for _, file := range files {
		b, err := fs.ReadFile(today, file)
		if err != nil {
			t.Fatal(err)
		}
		later[file] = &fstest.MapFile{Data: b}
		if _, after, ok := strings.Cut(string(b), "CREATE TABLE message ("); ok {
			made, _, _ = strings.Cut(after, ") STRICT;")
		}
	}
	later[fmt.Sprintf("schema/%05d_later.sql", len(files)+1)] = &fstest.MapFile{Data: []byte(`-- +goose Up
ALTER TABLE camera ADD COLUMN later TEXT NOT NULL DEFAULT 'later';
CREATE TABLE message_next (` + strings.Replace(made, "'diagnosis'", "'diagnosis', 'later'", 1) + `) STRICT;
INSERT INTO message_next SELECT * FROM message;
DROP TABLE message;
ALTER TABLE message_next RENAME TO message;
`)}
	schema, back = later, func() { schema = today }
	t.Cleanup(back)
	return back
}

// An inventory with cameras declared, refused and found, a password and messages, is the
// same one after the program was replaced by a later one; and the one of before refuses it
// from then on.
func TestUpgradeToLaterSchema(t *testing.T) {
	dir := t.TempDir()
	v := open(t, dir)
	enrol(t, v, siteA)
	contact(t, v)
	nvr := recorder(nil, 0)
	record(t, v, noon, nvr, cameraDevice(0), cameraDevice(1))
	own, _ := on(t, v, "Ingresso via Torino")
	outdoors(t, v, own.ID, true)
	approve(t, v, own.ID)
	refused, _ := on(t, v, "Magazzino")
	allWords[6].say(t, v, refused.ID)
	secret := interrogate.Credential{User: "u", Password: "p"}
	if err := v.SetCredential(t.Context(), own.Device.ID, secret); err != nil {
		t.Fatal(err)
	}
	before, sent := cameras(t, v), outbox(t, v)
	if len(before) < 3 || len(sent) == 0 {
		t.Fatalf("the test wants a used inventory: %+v, %+v", before, sent)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}

	back := laterSchema(t)
	v = open(t, dir)
	if after := cameras(t, v); !reflect.DeepEqual(before, after) {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if after := outbox(t, v); !reflect.DeepEqual(sent, after) {
		t.Errorf("before %+v\nafter %+v", sent, after)
	}
	if got, ok, err := v.Credential(t.Context(), cameraDevice(0).Sighting); err != nil || !ok || got.User != secret.User || got.Password != secret.Password {
		t.Errorf("the password: %v %v", ok, err)
	}
	var later int
	if err := v.reader.QueryRow("SELECT count(*) FROM camera WHERE later = 'later'").Scan(&later); err != nil || later < len(before) {
		t.Errorf("%d cameras have what the step adds, %v", later, err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	back()
	if _, err := Open(t.Context(), dir, v.log); err == nil || !strings.Contains(err.Error(), "install the newer program again") {
		t.Errorf("the program of before opened it: %v", err)
	}
}
