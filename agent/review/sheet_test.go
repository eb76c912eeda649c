package review

import (
	"fmt"
	"strings"
	"testing"

	"anagrafe/agent/inventory"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// sheetCameras are four of one recorder and one of another, two of one name.
func sheetCameras() []inventory.Camera {
	retro := inventory.Device{ID: "r1", Name: "Retro", Vendor: "Ditta", Model: "NVR 8", Address: "192.168.7.10:80"}
	front := inventory.Device{ID: "r2", Vendor: "Altra", Model: "Dome", Address: "192.168.7.11:80"}
	camera := func(id, name, channel string, d inventory.Device) inventory.Camera {
		return inventory.Camera{ID: id, Device: d, Channel: channel, SiteID: siteID, Values: protocol.Camera{Name: name}}
	}
	return []inventory.Camera{camera("a", "Ingresso", "1", retro), camera("b", "Cassa", "2", retro), camera("c", "=cmd", "3", retro),
		camera("d", "Retro, cortile", "4", retro), camera("e", "Ingresso", "1", front)}
}

func TestSheet(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"by id", "id;outdoor_public\na;sì\nb;no\n", "2 a yes; 3 b no"},
		{"by name", "nome,area_pubblica\nCassa,s\n", "2 b yes"},
		{"by recorder and channel", "Registratore\tCanale\tarea_pubblica\nretro\t1\tno\nAltra Dome\t1\tyes\n192.168.7.11\t1\tno\n", "2 a no; 3 e yes; 4 e no [/twice]"},
		{"decimal commas", "id;latitudine;longitudine;direzione\na;45,4641;9,19;90\n", "2 a 45.4641 9.19 90"},
		{"degrees as text", "id,lat,lon\na,45.4641°,nove\n", "2 a 45.4641 0 [lon/number]"},
		{"Windows-1252", "id;area_pubblica\na;s\xec\n", "2 a yes"},
		{"nothing said stays", "id;area_pubblica;portata\na;;\n", "2 a"},
		{"two of a name", "nome;area_pubblica\nIngresso;sì\n", "2 - yes [/several]"},
		{"two of a name, by the recorder", "nome;registratore;area_pubblica\nIngresso;Retro;sì\n", "2 a yes"},
		{"unknown", "id;area_pubblica\nz;sì\n", "2 - yes [/unknown]"},
		{"a column sorted by itself", "id;nome;area_pubblica\na;Cassa;sì\nb;Cassa;no\n", "2 - yes [/unknown]; 3 b no"},
		{"another name", "id;nome;nuovo_nome\na;Ingresso;Porta\nb;vecchio;Cassa\n", "2 a name=Porta; 3 b name=Cassa"},
		{"no camera", "id;area_pubblica\n;sì\n", "2 - yes [/which]"},
		{"neither yes nor no", "id;area_pubblica\na;forse\n", "2 a no [area_pubblica/yes-no]"},
		{"storage", "id;immagini;locale\na;Sede;retro\nb;cantina;\n", "2 a on-premises; 3 b [immagini/storage]"},
		{"site", "id;sede\na;Bar Centrale\nb;Altrove\n", "2 a; 3 b [/site]"},
		{"formula", "nome;area_pubblica\n'=cmd;no\n", "2 c no"},
		{"more cells than columns", "id;area_pubblica\na;sì;no\n", "2 - [/fields]"},
		{"unknown columns", "id;area_pubblica;boh\na;sì;3\n", "2 a yes ignored [boh]"},
		{"no column of answers", "id;nome\na;Ingresso\n", "1/no-column"},
		{"no column of cameras", "area_pubblica\nsì\n", "1/no-column"},
		{"a column twice", "id;area_pubblica;outdoor_public\na;sì;no\n", "1/twice-column"},
		{"empty", "", "0/empty"},
		{"no text", "id;a\x00", "0/encoding"},
		{"too large", strings.Repeat("x", maxFile+1), "0/big"},
	} {
		if got := shownSheet(readSheet([]byte(tc.file), sheetCameras(), []inventory.Site{grant()}, "Ugo")); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func shownSheet(s *sheet) string {
	var parts []string
	for _, f := range s.wrong {
		parts = append(parts, fmt.Sprintf("%d/%s", f.Line, f.Key))
	}
	for _, l := range s.lines {
		text := fmt.Sprint(l.line, " -")
		if l.camera != nil {
			text = fmt.Sprint(l.line, " ", l.camera.ID)
		} else if len(l.wrong) == 0 {
			text += " and nothing is wrong"
		}
		if e := l.edit; e.Outdoor != nil {
			text += map[bool]string{true: " yes", false: " no"}[*e.Outdoor]
		}
		if l.edit.Name != nil {
			text += " name=" + *l.edit.Name
		}
		if l.edit.Lat != nil && l.edit.Lon != nil {
			text += fmt.Sprint(" ", *l.edit.Lat, " ", *l.edit.Lon)
		}
		if l.edit.Direction != nil {
			text += fmt.Sprint(" ", *l.edit.Direction)
		}
		if l.edit.Storage != nil {
			text += " " + string(*l.edit.Storage)
		}
		for _, f := range l.wrong {
			text += fmt.Sprintf(" [%s/%s]", f.Column, f.Key)
		}
		parts = append(parts, text)
	}
	text := strings.Join(parts, "; ")
	if len(s.ignored) > 0 {
		text += fmt.Sprintf(" ignored %v", s.ignored)
	}
	return text
}

// What is exported is read back as it stands, and tells no address of the network.
func TestSheetRoundTrip(t *testing.T) {
	all := sheetCameras()
	all[0].Outdoor, all[1].Outdoor = new(true), new(false)
	all[2].Outdoor, all[2].AskAgain = new(true), true
	all[0].Values.Position = protocol.Position{Point: protocol.Point{Lon: 9_190_000, Lat: 45_464_100}, AccuracyM: 5, Method: "map"}
	all[0].Values.View.DirectionDeg, all[0].Values.View.RangeM = new(225), new(30)
	all[0].Device.Storage, all[0].Device.StorageNote = protocol.StorageOnPremises, "retro; scaffale"
	file, err := writeSheet(all)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(file); strings.Contains(text, "192.168") || !strings.Contains(text, "45,4641;9,19;5;225;;30;sede;\"retro; scaffale\"") || !strings.Contains(text, ";'=cmd;") {
		t.Error(text)
	}
	s := readSheet(file, all, []inventory.Site{grant()}, "Ugo")
	if got, want := shownSheet(s), "2 a yes 45.4641 9.19 225 on-premises; 3 b no; 4 c; 5 d; 6 e"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Every problem has words in both languages.
func TestSheetProblemsHaveWords(t *testing.T) {
	o := start(t)
	for _, key := range []string{"big", "encoding", "empty", "quotes", "unreadable", "columns", "lines", "twice-column", "no-column", "fields",
		"which", "unknown", "several", "twice", "site", "number", "yes-no", "storage", "value"} {
		for _, lang := range []pages.Lang{pages.It, pages.En} {
			if !o.pages.Words(lang).Has("bulk.wrong." + key) {
				t.Errorf("%s has no words in %s", key, lang)
			}
		}
	}
}

// Whatever the bytes are, reading ends, and each line is of one camera, or says why
// it is of none.
func FuzzSheet(f *testing.F) {
	f.Add([]byte("id;nome;area_pubblica;latitudine;longitudine\na;Ingresso;sì;45,4641;9,19\n"))
	f.Add([]byte("sep=,\nregistratore,canale,direzione,angolo,portata,immagini,locale,sede\nRetro,1,90,80,30,sede,x,Bar Centrale\n"))
	f.Add([]byte("\ufeffid\tnuovo_nome\n\"a\t\n"))
	cameras, grants := sheetCameras(), []inventory.Site{grant()}
	f.Fuzz(func(t *testing.T, file []byte) {
		s := readSheet(file, cameras, grants, "Ugo")
		if len(s.wrong) > 0 && len(s.lines) > 0 {
			t.Fatal("a file that cannot be read has lines")
		}
		seen := map[string]bool{}
		_, changes := s.changes()
		for _, c := range changes {
			if seen[c.ID] {
				t.Fatalf("%s is changed twice", c.ID)
			}
			seen[c.ID] = true
			for _, d := range []*float64{c.Edit.Lon, c.Edit.Lat} {
				if d != nil && *d != *d {
					t.Fatal("a place that is no number")
				}
			}
		}
		if _, err := writeSheet(cameras); err != nil {
			t.Fatal(err)
		}
	})
}
