package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The wire vectors stand in testdata/protocol of the project. good/NAME.bin is
// an encoded message and NAME.json the same as a person reads it; bad/NAME.bin
// is refused as bad/NAME.txt says: "malformed", or the fields, one a line.
// A good one is named after the version that its body needs (v1-...). -update
// writes those of this version anew from the samples, and what is not there
// yet; those of an older version are never written again: they must be read for
// ever.
var update = flag.Bool("update", false, "write the wire vectors of this version anew")

const vectors = "../testdata/protocol"

func vector(name string, m Message) string { return fmt.Sprintf("good/v%d-%s", m.version(), name) }

func TestGoodVectors(t *testing.T) {
	if *update {
		for name, m := range sampleMessages() {
			b, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			_, err = os.Stat(filepath.Join(vectors, vector(name, m)+".bin"))
			if err != nil || m.version() == Version {
				write(t, vector(name, m)+".bin", b)
				write(t, vector(name, m)+".json", readable(t, m))
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(vectors, "good", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s/good: %v", vectors, err)
	}
	for _, file := range files {
		b := read(t, file)
		m, err := Decode(b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got, want := readable(t, m), read(t, strings.TrimSuffix(file, ".bin")+".json"); !bytes.Equal(got, want) {
			t.Errorf("%s reads\n%s\nnot\n%s", file, got, want)
		}
	}
	for name, m := range sampleMessages() {
		file := filepath.Join(vectors, vector(name, m)+".bin")
		if !slices.Contains(files, file) {
			t.Errorf("sample %s has no vector: run this test with -update", name)
			continue
		}
		if b, err := Encode(m); err != nil || !bytes.Equal(b, read(t, file)) {
			t.Errorf("%s: the same message now has other bytes (%v)", file, err)
		}
	}
}

func TestBadVectors(t *testing.T) {
	if *update {
		for _, v := range badVectors() {
			write(t, "bad/"+v.name+".bin", v.bytes)
			write(t, "bad/"+v.name+".txt", []byte(strings.Join(v.want, "\n")+"\n"))
		}
	}
	files, err := filepath.Glob(filepath.Join(vectors, "bad", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s/bad: %v", vectors, err)
	}
	for _, file := range files {
		_, err := Decode(read(t, file))
		got := fieldsOf(err)
		if errors.Is(err, errMalformed) {
			got = []string{"malformed"}
		}
		want := strings.Fields(string(read(t, strings.TrimSuffix(file, ".bin")+".txt")))
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: got %q (%v), want %q", file, got, err, want)
		}
	}
	for _, v := range badVectors() {
		if !slices.Contains(files, filepath.Join(vectors, "bad", v.name+".bin")) {
			t.Errorf("bad vector %s is not there: run this test with -update", v.name)
		}
	}
}

type badVector struct {
	name  string
	bytes []byte
	want  []string
}

// badVectors breaks samples where Encode would not: on the wire.
// It is long because it is one table.
func badVectors() []badVector {
	var all []badVector
	add := func(name string, b []byte, want ...string) { all = append(all, badVector{name, b, want}) }
	broken := func(name string, change func(m *wire.Message, d *wire.Declaration), want ...string) {
		m := toWire(sampleMessage(sampleDeclaration()))
		change(m, m.GetDeclaration())
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			panic(err) // of a table: caught by any run of the tests
		}
		add(name, b, want...)
	}
	whole, err := Encode(sampleMessage(sampleDeclaration()))
	if err != nil {
		panic(err)
	}
	withdrawal, err := proto.Marshal(&wire.Message{Body: toWire(sampleMessage(sampleWithdrawal())).Body})
	if err != nil {
		panic(err)
	}

	add("empty", nil, "version", "id", "site_id", "epoch", "revision", "made_at", "body")
	add("truncated", whole[:len(whole)-40], "malformed")
	add("text", []byte("<html>captive portal</html>"), "malformed")
	add("two-bodies", slices.Concat(whole, withdrawal), "malformed")
	add("two-ids", slices.Concat(whole, protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), sampleSite)), "malformed")
	add("not-utf8", bytes.Replace(whole, []byte("INGRESSO"), []byte("INGR\xff\xfeSO"), 1), "malformed")
	add("unknown-field", slices.Concat(whole, protowire.AppendString(protowire.AppendTag(nil, 99, protowire.BytesType), "192.0.2.7")), "field_99")
	add("wrong-wire-type", slices.Concat(whole, protowire.AppendFixed64(protowire.AppendTag(nil, 5, protowire.Fixed64Type), 1)), "field_5")

	broken("no-version", func(m *wire.Message, d *wire.Declaration) { m.Version = 0 }, "version")
	broken("no-body", func(m *wire.Message, d *wire.Declaration) { m.Body = nil }, "body")
	broken("body-of-a-newer-version", func(m *wire.Message, d *wire.Declaration) {
		m.Version, m.Body = 9, nil
		m.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, 2000, protowire.BytesType), []byte("new")))
	}, "body")
	broken("body-newer-than-its-version", func(m *wire.Message, d *wire.Declaration) {
		m.Body = toWire(sampleMessage(sampleReply())).Body
	}, "version")
	broken("reply-of-nobody", func(m *wire.Message, d *wire.Declaration) {
		m.Version, m.Body = 2, toWire(sampleMessage(sampleReply())).Body
		m.GetReply().By = " "
	}, "by")
	suspended := func(change func(s *wire.SiteSuspension)) func(m *wire.Message, d *wire.Declaration) {
		return func(m *wire.Message, d *wire.Declaration) {
			m.Version, m.Body = 3, toWire(sampleMessage(sampleSuspension())).Body
			change(m.GetSuspension())
		}
	}
	broken("suspended-until-before", suspended(func(s *wire.SiteSuspension) { s.Until = timestamppb.New(sampleTime) }), "until")
	broken("suspended-by-nobody", suspended(func(s *wire.SiteSuspension) { s.Approval = nil }), "approval.by", "approval.role", "approval.at")
	broken("resumed-until", suspended(func(s *wire.SiteSuspension) { s.Resumed = true }), "until")
	health := func(change func(h *wire.Health)) func(m *wire.Message, d *wire.Declaration) {
		return func(m *wire.Message, d *wire.Declaration) {
			m.Version, m.Body = 4, toWire(sampleMessage(sampleHealth())).Body
			change(m.GetHealth())
		}
	}
	broken("health-in-own-words", health(func(h *wire.Health) {
		h.Recorders[0].Maker, h.Recorders[0].Faults[0], h.Others[0].Fault = "Mario's NVR", "192.0.2.7 refused", "broken"
	}), "recorders[0].maker", "recorders[0].faults[0]", "others[0].fault")
	broken("health-with-a-whole-firmware", health(func(h *wire.Health) { h.Recorders[0].Firmware = "V4.30.085 build 200916" }), "recorders[0].firmware")
	broken("health-with-a-fault-twice", health(func(h *wire.Health) { h.Recorders[0].Faults[1] = h.Recorders[0].Faults[0] }), "recorders[0].faults[1]")
	broken("health-with-more-answers-than-cameras", health(func(h *wire.Health) { h.CamerasAnswered = 1 << 31 }), "cameras_answered")
	broken("health-with-many-others", health(func(h *wire.Health) {
		for range MaxOthers {
			h.Others = append(h.Others, &wire.OtherFaults{})
		}
	}), "others")
	broken("health-newer-than-its-version", func(m *wire.Message, d *wire.Declaration) {
		m.Version, m.Body = 3, toWire(sampleMessage(sampleHealth())).Body
	}, "version")
	broken("diagnosis-of-nobody", func(m *wire.Message, d *wire.Declaration) {
		m.Version, m.Body = 4, toWire(sampleMessage(sampleDiagnosis())).Body
		m.GetDiagnosis().Approval, m.GetDiagnosis().Text = nil, " \n"
	}, "text", "approval.by", "approval.role", "approval.at")
	broken("notice-newer-than-its-version", func(m *wire.Message, d *wire.Declaration) { d.Approval.NoticeVersion = "2" }, "version")
	broken("clock-years-off", func(m *wire.Message, d *wire.Declaration) { m.MadeAt = timestamppb.New(time.Unix(0, 0)) }, "made_at")
	broken("end-of-time", func(m *wire.Message, d *wire.Declaration) {
		m.MadeAt = &timestamppb.Timestamp{Seconds: 1<<63 - 1, Nanos: -1}
	}, "made_at")
	broken("outside-the-world", func(m *wire.Message, d *wire.Declaration) { d.Cameras[1].Position.LatMicrodegrees = 91_000_000 }, "cameras[1].position.lat")
	broken("nowhere", func(m *wire.Message, d *wire.Declaration) { d.Cameras[1].Position = nil },
		"cameras[1].position.lat", "cameras[1].position.fact.source")
	broken("overlap", func(m *wire.Message, d *wire.Declaration) {
		d.Cameras[0].Schedule.Days[2].Intervals[1].FromMinute = 479
	},
		"cameras[0].schedule.days[3].intervals[1].from")
	broken("day-eight", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].Schedule.Days[2].Day = 8 }, "cameras[0].schedule.days[2].day")
	broken("day-twice", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].Schedule.Days[2].Day = 1 }, "cameras[0].schedule.days[2].day")
	broken("minute-wraps", func(m *wire.Message, d *wire.Declaration) {
		d.Cameras[0].Schedule.Days[0].Intervals[0].FromMinute = 1 << 31
	},
		"cameras[0].schedule.days[1].intervals[0].from", "cameras[0].schedule.days[1].intervals[0].to")
	broken("age-wraps", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].Retention.AgeSeconds = 1<<63 - 1 }, "cameras[0].retention.age")
	broken("age-negative", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].Retention.AgeSeconds = -1 << 63 }, "cameras[0].retention.age")
	broken("unknown-source", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].NameFact.Source = 9 }, "cameras[0].name_fact.source")
	broken("unknown-mode", func(m *wire.Message, d *wire.Declaration) { d.Cameras[1].Schedule.AlwaysMode = "sometimes" }, "cameras[1].schedule.mode")
	broken("not-public", func(m *wire.Message, d *wire.Declaration) { d.Cameras[1].OutdoorPublic.Yes = false }, "cameras[1].outdoor_public.yes")
	broken("no-answer", func(m *wire.Message, d *wire.Declaration) { d.Cameras[1].OutdoorPublic = nil },
		"cameras[1].outdoor_public.yes", "cameras[1].outdoor_public.by", "cameras[1].outdoor_public.at")
	broken("no-contact", func(m *wire.Message, d *wire.Declaration) { d.Contacts = nil }, "contacts")
	broken("recorder-of-another-site", func(m *wire.Message, d *wire.Declaration) { d.Cameras[0].RecorderId = sampleID }, "cameras[0].recorder_id")
	broken("513-cameras", func(m *wire.Message, d *wire.Declaration) {
		d.Cameras = nil
		for range MaxCameras + 1 {
			d.Cameras = append(d.Cameras, &wire.Camera{})
		}
	}, "cameras")
	broken("unknown-field-inside", func(m *wire.Message, d *wire.Declaration) {
		d.Cameras[1].View.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 40, protowire.VarintType), 1))
	}, "cameras[1].view.field_40")
	return all
}

// TestNewerVersion: a message of a newer version whose body is known is read,
// and what is not known of it left out.
func TestNewerVersion(t *testing.T) {
	m := toWire(sampleMessage(sampleDeclaration()))
	m.Version = Version + 1
	m.GetDeclaration().Cameras[1].View.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 40, protowire.VarintType), 1))
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := readable(t, got), readable(t, sampleMessage(sampleDeclaration())); !bytes.Equal(a, b) {
		t.Errorf("reads\n%s\nnot\n%s", a, b)
	}
}

func readable(t *testing.T, m Message) []byte {
	t.Helper()
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, name string, b []byte) {
	t.Helper()
	file := filepath.Join(vectors, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
