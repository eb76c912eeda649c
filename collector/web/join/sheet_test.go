package join

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
	"anagrafe/protocol/pages"
)

var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// minimal is a file of one good line.
const minimal = "chiave;nome;telecamera;latitudine;longitudine;area_pubblica\n1;Bar Città;Ingresso;45,464203;9,189982;sì\n"

func windows(t testing.TB, s string) []byte {
	t.Helper()
	b, err := charmap.Windows1252.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(b)
}

// Whatever a spreadsheet makes of the file, it says the same.
func TestReadsAsSpreadsheetsWrite(t *testing.T) {
	comma := "key,name,camera,latitude,longitude,outdoor_public\n1,Bar Città,Ingresso,45.464203,9.189982,yes\n"
	for name, file := range map[string][]byte{
		"semicolons":          []byte(minimal),
		"with a mark":         []byte("\ufeff" + minimal),
		"Windows-1252":        windows(t, minimal),
		"CRLF":                []byte(strings.ReplaceAll(minimal, "\n", "\r\n")),
		"English":             []byte(comma),
		"tabs":                []byte(strings.ReplaceAll(minimal, ";", "\t")),
		"quoted commas":       []byte("chiave,nome,telecamera,lat,lon,area pubblica\n1,\"Bar Città\",Ingresso,\"45,464203\",\"9,189982\",SÌ\n"),
		"Excel's first line":  []byte("sep=;\r\n" + minimal),
		"no newline at end":   []byte(strings.TrimSpace(minimal)),
		"empty lines":         []byte(strings.Replace(minimal, "\n", "\n;;;;;\n\n", 1)),
		"other case, accents": []byte(strings.Replace(minimal, "chiave;nome", " CHIAVE ;\"Nome sede\"", 1)),
		"degree signs":        []byte(strings.ReplaceAll(minimal, "45,464203", " 45,464203° ")),
	} {
		s := readSheet(file, nil, noon)
		if len(s.problems) > 0 || len(s.sites) != 1 {
			t.Errorf("%s: %v, %+v", name, s.problems, s.sites)
			continue
		}
		site, camera := s.sites[0], s.sites[0].Cameras[0].Camera
		if site.Key != "1" || site.Site.Name != "Bar Città" || site.Site.Category != "other" || camera.Name != "Ingresso" ||
			camera.Position.Point != (protocol.Point{Lon: 9_189_982, Lat: 45_464_203}) || !camera.OutdoorPublic.Yes {
			t.Errorf("%s: %+v", name, site)
		}
	}
}

// What is wrong with a file as a whole is one problem, and none of it is read.
func TestUnreadableFiles(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		key  string
		line int
	}{
		"empty":               {"", "empty", 0},
		"spaces":              {" \r\n", "empty", 0},
		"a header alone":      {strings.SplitAfter(minimal, "\n")[0], "empty", 0},
		"zeros":               {"chiave\x00;nome\n1;2\n", "encoding", 0},
		"UTF-16":              {"\xff\xfec\x00h\x00", "encoding", 0},
		"no letter of 1252":   {"chiave;nome\n1;\x81\xff\n", "encoding", 0},
		"an open quote":       {minimal + "2;\"Bar;x\n3;y\n", "quotes", 3},
		"a quote in a value":  {minimal + "2;Bar \"x\" y;\n", "quotes", 3},
		"after a first line":  {"sep=;\n" + minimal + "2;Bar \"x\" y;\n", "quotes", 4},
		"a thousand columns":  {strings.Repeat("x;", 1000) + "\n1\n", "columns", 1},
		"more lines than fit": {minimal + strings.Repeat("x\n", maxLines), "lines", 0},
		"a column twice":      {"key;chiave;nome;telecamera;lat;lon;area_pubblica\n1;1;1;1;1;1;1\n", "twice-column", 1},
		"a column is missing": {strings.Replace(minimal, "nome", "titolo", 1), "no-column", 1},
	} {
		s := readSheet([]byte(c.file), nil, noon)
		if len(s.problems) != 1 || s.problems[0].key != c.key || s.problems[0].line != c.line || len(s.sites) != 0 {
			t.Errorf("%s: %v, %d sites", name, s.problems, len(s.sites))
		}
	}
}

// full has every column.
const full = "chiave;chiave_sede;nome;categoria;indirizzo;telecamera;canale;latitudine;longitudine;precisione_m;area_pubblica;direzione;angolo;portata_m;altezza_m;ruota;infrarossi;larghezza_px;altezza_px;registrazione;conservazione_ore;conservazione_giorni;registratore;marca;modello;contatto;ruolo;telefono;email;pec;orario;note"

// line gives values to the columns of full, in the order in which they stand there.
func line(values map[string]string) string {
	all := map[string]string{"chiave": "1", "nome": "Bar", "telecamera": "Ingresso", "latitudine": "45,46", "longitudine": "9,18", "area_pubblica": "sì"}
	for k, v := range values {
		all[k] = v
	}
	var fields []string
	for _, name := range strings.Split(full, ";") {
		fields = append(fields, all[name])
	}
	return strings.Join(fields, ";") + "\n"
}

// Each value that cannot be taken is named by its line and column.
func TestProblemsByLine(t *testing.T) {
	type values = map[string]string
	for _, c := range []struct {
		values values
		want   string // column key, sorted
	}{
		{values{}, ""},
		{values{"chiave": ""}, "chiave missing"},
		{values{"nome": " "}, "nome missing"},
		{values{"telecamera": "", "latitudine": ""}, "telecamera missing, latitudine missing"},
		{values{"chiave": strings.Repeat("x", 121)}, " key"},
		{values{"chiave_sede": strings.Repeat("x", 121)}, " key"},
		{values{"nome": strings.Repeat("x", 121)}, "nome value"},
		{values{"nome": "a\u202eb"}, "nome value"},
		{values{"categoria": "castello"}, "categoria category"},
		{values{"categoria": " BANCA "}, ""},
		{values{"categoria": "bar-restaurant"}, ""},
		{values{"latitudine": "91"}, "latitudine degrees"},
		{values{"latitudine": "45.464.203"}, "latitudine degrees"},
		{values{"latitudine": "45°27'51\""}, "\x00"}, // a quote in a value: the file's form
		{values{"longitudine": "1514000"}, "longitudine degrees"},
		{values{"longitudine": "NaN"}, "longitudine degrees"},
		{values{"longitudine": "0x10"}, "longitudine degrees"},
		{values{"latitudine": "0", "longitudine": "0"}, "latitudine value"},
		{values{"area_pubblica": "no"}, "area_pubblica outdoor"},
		{values{"area_pubblica": ""}, "area_pubblica missing"},
		{values{"area_pubblica": "forse"}, "area_pubblica yes-no"},
		{values{"direzione": "nord"}, "direzione number"},
		{values{"direzione": "360"}, "direzione value"},
		{values{"direzione": "-1"}, "direzione value"},
		{values{"direzione": "359,4"}, ""},
		{values{"angolo": "0"}, "angolo value"},
		{values{"portata_m": "1e3"}, "portata_m number"},
		{values{"portata_m": "999999999999"}, "portata_m number"},
		{values{"altezza_m": "2,75"}, ""},
		{values{"altezza_m": "501"}, "altezza_m value"},
		{values{"precisione_m": "10001"}, "precisione_m value"},
		{values{"ruota": "forse", "infrarossi": "?"}, "ruota yes-no, infrarossi yes-no"},
		{values{"larghezza_px": "40000"}, "larghezza_px value"},
		{values{"registrazione": "di notte"}, "registrazione recording"},
		{values{"registrazione": "lun 08:00-12:00 + lun 11:00-13:00"}, "registrazione value"},
		{values{"conservazione_ore": "72", "conservazione_giorni": "3"}, ""},
		{values{"conservazione_ore": "72", "conservazione_giorni": "7"}, "conservazione_giorni retention"},
		{values{"conservazione_ore": "0"}, "conservazione_ore number"},
		{values{"conservazione_giorni": "una settimana"}, "conservazione_giorni number"},
		{values{"conservazione_giorni": "4000"}, "conservazione_ore value"},
		{values{"contatto": "Anna"}, "telefono value"},
		{values{"telefono": "02 123456"}, "contatto value"},
		{values{"contatto": "Anna", "telefono": "chiedere al bar"}, "telefono value"},
		{values{"contatto": "Anna", "email": "a@b@c"}, "email value"},
		{values{"contatto": "Anna", "telefono": "112", "ruolo": "capo"}, "ruolo role"},
		{values{"contatto": "Anna", "telefono": "112", "ruolo": "Sala operativa"}, ""},
		{values{"marca": strings.Repeat("x", 121)}, "marca value"},
		{values{"note": "; di troppo"}, " fields"},
	} {
		s := readSheet([]byte(full+"\n"+line(c.values)), nil, noon)
		var got []string
		for _, p := range s.problems {
			if p.key == "quotes" {
				got = append(got, "\x00")
				continue
			}
			if p.line != 2 {
				t.Errorf("%v: line %d", c.values, p.line)
			}
			got = append(got, p.column+" "+p.key)
		}
		if strings.Join(got, ", ") != c.want || (len(s.sites) == 1) != (c.want == "") {
			t.Errorf("%v: %q, want %q, %d sites", c.values, got, c.want, len(s.sites))
		}
	}
}

// Lines of one site agree on it; keys are each once; a site that stands there
// twice is asked about.
func TestSitesOfSeveralLines(t *testing.T) {
	type values = map[string]string
	for name, c := range map[string]struct {
		lines []values
		want  string // line key other, ...
		sites string // key: cameras
	}{
		"two cameras":      {[]values{{"chiave_sede": "S"}, {"chiave": "2", "chiave_sede": "S"}}, "", "S: 1 2"},
		"two sites":        {[]values{{}, {"chiave": "2", "nome": "Altro"}}, "", "1: 1, 2: 2"},
		"same keys apart":  {[]values{{"chiave_sede": "S"}, {"chiave_sede": "T", "nome": "Altro"}}, "", "S: 1, T: 1"},
		"the same key":     {[]values{{}, {"nome": "Altro"}}, "3 twice-key 2", "1: 1"},
		"no site key":      {[]values{{}, {"chiave": "2"}}, "3 same-site 2", "1: 1"},
		"another name":     {[]values{{"chiave_sede": "S"}, {"chiave": "2", "chiave_sede": "S", "nome": "Altro"}}, "3 differs 2", "S: 1"},
		"another category": {[]values{{"chiave_sede": "S"}, {"chiave": "2", "chiave_sede": "S", "categoria": "banca"}}, "3 differs 2", "S: 1"},
		"address once":     {[]values{{"chiave_sede": "S", "indirizzo": "Via x"}, {"chiave": "2", "chiave_sede": "S"}}, "", "S: 1 2"},
		"contact once": {[]values{{"chiave_sede": "S", "contatto": "Anna", "telefono": "112"}, {"chiave": "2", "chiave_sede": "S"}},
			"", "S: 1 2"},
		"two contacts": {[]values{{"chiave_sede": "S", "contatto": "Anna", "telefono": "112"}, {"chiave": "2", "chiave_sede": "S", "contatto": "Eva", "telefono": "112"}},
			"3 differs 2", "S: 1"},
		"a wrong first line": {[]values{{"chiave_sede": "S", "angolo": "x"}, {"chiave": "2", "chiave_sede": "S", "nome": "Altro"}}, "2 number", "S: 2"},
	} {
		var b strings.Builder
		b.WriteString(full + "\n")
		for _, v := range c.lines {
			b.WriteString(line(v))
		}
		s := readSheet([]byte(b.String()), nil, noon)
		var got, sites []string
		for _, p := range s.problems {
			one := fmt.Sprint(p.line, " ", p.key)
			if len(p.pairs) == 2 {
				one += fmt.Sprint(" ", p.pairs[1])
			}
			got = append(got, one)
		}
		for _, site := range s.sites {
			one := site.Key + ":"
			for _, camera := range site.Cameras {
				one += " " + camera.Key
			}
			sites = append(sites, one)
		}
		if strings.Join(got, ", ") != c.want || strings.Join(sites, ", ") != c.sites {
			t.Errorf("%s: %q, sites %q", name, got, sites)
		}
	}
}

func TestTooManyCamerasOfASite(t *testing.T) {
	var b strings.Builder
	b.WriteString(full + "\n")
	for i := range protocol.MaxCameras + 1 {
		b.WriteString(line(map[string]string{"chiave": fmt.Sprint(i), "chiave_sede": "S"}))
	}
	s := readSheet([]byte(b.String()), nil, noon)
	if len(s.problems) != 1 || s.problems[0].key != "cameras" || s.problems[0].line != 2 {
		t.Errorf("%v", s.problems)
	}
}

// Each category, role and way to record has a word that is read back.
func TestWordsAreReadBack(t *testing.T) {
	for _, c := range protocol.Categories {
		var r record
		if key := readCategory(&r, categoryName(c)); key != "" || r.site.Category != c {
			t.Errorf("%s is written %q, and read %q", c, categoryName(c), r.site.Category)
		}
	}
	for role, name := range roleNames {
		var r record
		if key := readRole(&r, name); key != "" || r.contact.Role != role {
			t.Errorf("%s: %q", role, r.contact.Role)
		}
	}
	for _, v := range []string{"Bar", "=1+1", "+39 02 1234", "-1", "+cmd|x", "@x", "'x", "'=x", "''=x", "-", ""} {
		marked := csvfile.Marked(v)
		if got := csvfile.Plain(marked); got != v {
			t.Errorf("%q is written %q, and read %q", v, marked, got)
		}
		if marked != "" && strings.ContainsRune("=@", rune(marked[0])) || marked == "+cmd|x" {
			t.Errorf("%q is a formula", marked)
		}
	}
}

func TestRecording(t *testing.T) {
	week := func(days map[int][]protocol.Interval) protocol.Schedule {
		s := protocol.Schedule{Kind: protocol.ScheduleWeekly, Zone: fileZone}
		for d, v := range days {
			s.Days[d] = v
		}
		return s
	}
	at := func(from, to int, mode protocol.Mode) protocol.Interval {
		return protocol.Interval{From: from * 60, To: to * 60, Mode: mode}
	}
	work := []protocol.Interval{at(8, 20, protocol.Continuous)}
	for _, c := range []struct {
		typed   string
		want    protocol.Schedule
		written string // "" as typed
	}{
		{"sempre", protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: fileZone}, ""},
		{"Always", protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Continuous, Zone: fileZone}, "sempre"},
		{"movimento", protocol.Schedule{Kind: protocol.ScheduleAlways, Mode: protocol.Motion, Zone: fileZone}, ""},
		{"spenta", protocol.Schedule{Kind: protocol.ScheduleOff, Zone: fileZone}, ""},
		{"lun-ven 08:00-20:00", week(map[int][]protocol.Interval{1: work, 2: work, 3: work, 4: work, 5: work}), ""},
		{"mon-FRI  8.00-20.00", week(map[int][]protocol.Interval{1: work, 2: work, 3: work, 4: work, 5: work}), "lun-ven 08:00-20:00"},
		{"sab 09:00-13:00 movimento + sab 15:00-24:00", week(map[int][]protocol.Interval{6: {at(9, 13, protocol.Motion), at(15, 24, protocol.Continuous)}}), ""},
		{"sab 15:00-24:00 + fest 08:00-20:00 allarme", week(map[int][]protocol.Interval{6: {at(15, 24, protocol.Continuous)}, 7: {at(8, 20, protocol.Alarm)}}), ""},
		{"sab 22:00-06:00", week(map[int][]protocol.Interval{6: {at(22, 24, protocol.Continuous)}, 0: {at(0, 6, protocol.Continuous)}}), "sab 22:00-24:00 + dom 00:00-06:00"},
		{"ven-lun 08:00-20:00", week(map[int][]protocol.Interval{5: work, 6: work, 0: work, 1: work}), "lun 08:00-20:00 + ven-dom 08:00-20:00"},
		{"dom 12:00-00:00", week(map[int][]protocol.Interval{0: {at(12, 24, protocol.Continuous)}}), "dom 12:00-24:00"},
	} {
		got, ok := readRecording(c.typed)
		if !ok || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%q: %+v, %v", c.typed, got, ok)
		}
		if c.written == "" {
			c.written = c.typed
		}
		if written := writeRecording(got); written != c.written {
			t.Errorf("%q is written %q", c.typed, written)
		}
	}
	for _, typed := range []string{"lun", "lun 8-20", "lun 08:00-08:00", "lun 24:00-08:00", "lun 08:60-09:00", "lun 08:00-24:01", "xyz 08:00-09:00",
		"lun-xyz 08:00-09:00", "lun 08:00-09:00 spesso", "fest 22:00-06:00", "ven-fest 08:00-09:00", "lun 08:00-09:00 +", "+", "sempre + lun 08:00-09:00"} {
		if got, ok := readRecording(typed); ok {
			t.Errorf("%q: %+v", typed, got)
		}
	}
}

// Every problem has its words in both languages.
func TestProblemsHaveWords(t *testing.T) {
	d := newDoor(t)
	source, err := os.ReadFile("it.json")
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, l := range strings.Split(string(source), "\n") {
		key, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(l), `"`), `"`)
		if strings.HasPrefix(key, "import.") && !strings.HasSuffix(key, ".hint") {
			keys++
			for _, lang := range []pages.Lang{pages.It, pages.En} {
				if w := d.join.pages.Words(lang); !w.Has(key) || !w.Has(key+".hint") {
					t.Errorf("%s has no words in %s", key, lang)
				}
			}
		}
	}
	for _, file := range []string{"../../../protocol/csvfile/csvfile.go", "sheet.go", "columns.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range problemKeys.FindAllStringSubmatch(string(source), -1) {
			if w := d.join.pages.Words(pages.It); !w.Has("import." + key[1]) {
				t.Errorf("%s: a problem %q has no words", file, key[1])
			}
		}
	}
	if keys < 20 {
		t.Errorf("only %d keys", keys)
	}
}

// Whatever the bytes are, reading ends, and what it takes keeps to the rules.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte(full + "\n" + line(nil) + line(map[string]string{"chiave": "2", "registrazione": "lun-ven 22:00-06:00 + fest 1:00-2:00 allarme"})))
	f.Add(windows(f, minimal))
	f.Add([]byte("sep=,\nkey,name\n\"\"\"1\",x\n"))
	if b, err := os.ReadFile("../../../testdata/import/filiali.csv"); err == nil {
		f.Add(b[:2000])
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s := readSheet(file, nil, noon)
		if len(s.records) == 0 && len(s.problems) == 0 {
			t.Error("nothing was read, and nothing is wrong")
		}
		seen := map[string]bool{}
		for _, site := range s.sites {
			if seen[site.Key] || site.Key == "" || len(site.Cameras) == 0 {
				t.Errorf("site %q", site.Key)
			}
			seen[site.Key] = true
			for _, c := range site.Cameras {
				if c.Key == "" || !c.Camera.OutdoorPublic.Yes || !c.Camera.Position.Placed() {
					t.Errorf("camera %+v", c)
				}
				if s, ok := readRecording(writeRecording(c.Camera.Schedule)); !ok || !slices.EqualFunc(s.Days[:], c.Camera.Schedule.Days[:], slices.Equal) || s.Kind != c.Camera.Schedule.Kind {
					t.Errorf("%+v is written %q", c.Camera.Schedule, writeRecording(c.Camera.Schedule))
				}
			}
		}
	})
}
