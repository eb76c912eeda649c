package join

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/csvfile"
)

// record is one line of a file of sites: a camera, and the site that it is of.
type record struct {
	line          int
	key, siteKey  string
	site          protocol.Site
	contact       protocol.Contact
	recorder      protocol.Recorder
	camera        protocol.Camera
	hours         *time.Duration // of retention, whichever column gave it
	invalid       bool           // a problem names the line
	outside       bool           // of the register's area
	hasOwnContact bool
}

// column is one column of a file of sites: its names, Italian first, the field
// of a declaration of one camera that it fills, and how it is read and written.
type column struct {
	names    []string
	field    string // path of protocol.FieldErrors, for what only protocol checks
	required bool
	read     func(r *record, typed string) (wrong string) // "" or the key of a problem; typed is not empty
	write    func(r record) string
}

// columns lists all, in the order in which an export writes them: one table, and long.
func columns() []column {
	text := func(field string, at func(r *record) *string, names ...string) column {
		return column{names: names, field: field,
			read:  func(r *record, typed string) string { *at(r) = typed; return "" },
			write: func(r record) string { return *at(&r) }}
	}
	must := func(c column) column { c.required = true; return c }
	view := func(field string, unit float64, at func(v *protocol.View) **int, names ...string) column {
		return column{names: names, field: "cameras[0].view." + field,
			read: func(r *record, typed string) string {
				n, ok := number(typed, unit)
				if ok {
					*at(&r.camera.View) = &n
				}
				return unless(ok, "number")
			},
			write: func(r record) string {
				if n := *at(&r.camera.View); n != nil {
					return csvfile.Decimal(float64(*n) / unit)
				}
				return ""
			}}
	}
	whole := func(field string, at func(r *record) *int, names ...string) column {
		return column{names: names, field: "cameras[0]." + field,
			read: func(r *record, typed string) string {
				n, ok := number(typed, 1)
				*at(r) = n
				return unless(ok, "number")
			},
			write: func(r record) string {
				if n := *at(&r); n != 0 {
					return strconv.Itoa(n)
				}
				return ""
			}}
	}
	flag := func(at func(r *record) *bool, names ...string) column {
		return column{names: names,
			read: func(r *record, typed string) string {
				yes, ok := csvfile.YesNo(typed)
				*at(r) = yes
				return unless(ok, "yes-no")
			},
			write: func(r record) string {
				if *at(&r) {
					return "sì"
				}
				return ""
			}}
	}
	return []column{
		must(text("", func(r *record) *string { return &r.key }, "chiave", "key")),
		text("", func(r *record) *string { return &r.siteKey }, "chiave_sede", "site_key", "sede", "site"),
		must(text("site.name", func(r *record) *string { return &r.site.Name }, "nome", "name", "nome_sede", "site_name")),
		{names: []string{"categoria", "category"}, field: "site.category", read: readCategory, write: func(r record) string { return categoryName(r.site.Category) }},
		text("site.address", func(r *record) *string { return &r.site.Address }, "indirizzo", "address"),
		must(text("cameras[0].name", func(r *record) *string { return &r.camera.Name }, "telecamera", "camera", "nome_telecamera", "camera_name")),
		text("cameras[0].channel", func(r *record) *string { return &r.camera.Channel }, "canale", "channel"),
		must(position("lat", 90, func(p *protocol.Point) *int32 { return &p.Lat }, "latitudine", "latitude", "lat", "lat_wgs84")),
		must(position("lon", 180, func(p *protocol.Point) *int32 { return &p.Lon }, "longitudine", "longitude", "lon", "lng", "long_wgs84")),
		whole("position.accuracy_m", func(r *record) *int { return &r.camera.Position.AccuracyM }, "precisione_m", "accuracy_m"),
		{names: []string{"area_pubblica", "outdoor_public"}, required: true, read: readOutdoor,
			write: func(r record) string { return map[bool]string{true: "sì", false: "no"}[r.camera.OutdoorPublic.Yes] }},
		view("direction_deg", 1, func(v *protocol.View) **int { return &v.DirectionDeg }, "direzione", "direction", "direzione_gradi", "direction_deg"),
		view("angle_deg", 1, func(v *protocol.View) **int { return &v.AngleDeg }, "angolo", "angle", "angolo_gradi", "angle_deg"),
		view("range_m", 1, func(v *protocol.View) **int { return &v.RangeM }, "portata_m", "range_m", "portata", "range"),
		view("height_cm", 100, func(v *protocol.View) **int { return &v.HeightCm }, "altezza_m", "height_m", "altezza", "height"),
		flag(func(r *record) *bool { return &r.camera.View.Turns }, "ruota", "turns", "ptz"),
		flag(func(r *record) *bool { return &r.camera.View.Infrared }, "infrarossi", "infrared", "infrarosso"),
		whole("view.width_px", func(r *record) *int { return &r.camera.View.WidthPx }, "larghezza_px", "width_px"),
		whole("view.height_px", func(r *record) *int { return &r.camera.View.HeightPx }, "altezza_px", "height_px"),
		{names: []string{"registrazione", "recording"}, field: "cameras[0].schedule",
			read: func(r *record, typed string) (wrong string) {
				s, ok := readRecording(typed)
				r.camera.Schedule = s
				return unless(ok, "recording")
			},
			write: func(r record) string { return writeRecording(r.camera.Schedule) }},
		{names: []string{"conservazione_ore", "retention_hours"}, field: "cameras[0].retention", read: readRetention(time.Hour),
			write: func(r record) string {
				if r.camera.Retention.Kind != protocol.RetentionAge {
					return ""
				}
				return csvfile.Decimal(r.camera.Retention.Age.Hours())
			}},
		{names: []string{"conservazione_giorni", "retention_days"}, field: "cameras[0].retention", read: readRetention(24 * time.Hour)},
		text("recorders[0].name", func(r *record) *string { return &r.recorder.Name }, "registratore", "recorder"),
		text("recorders[0].vendor", func(r *record) *string { return &r.recorder.Vendor }, "marca", "vendor", "produttore", "maker"),
		text("recorders[0].model", func(r *record) *string { return &r.recorder.Model }, "modello", "model"),
		text("contacts[0].name", func(r *record) *string { return &r.contact.Name }, "contatto", "contact", "referente"),
		{names: []string{"ruolo", "role"}, field: "contacts[0].role", read: readRole, write: func(r record) string { return roleNames[r.contact.Role] }},
		text("contacts[0].phone", func(r *record) *string { return &r.contact.Phone }, "telefono", "phone"),
		text("contacts[0].email", func(r *record) *string { return &r.contact.Email }, "email", "e_mail"),
		text("contacts[0].pec", func(r *record) *string { return &r.contact.PEC }, "pec"),
		text("contacts[0].hours", func(r *record) *string { return &r.contact.Hours }, "orario", "hours"),
	}
}

func unless(ok bool, wrong string) string {
	if ok {
		return ""
	}
	return wrong
}

// number is a number in units of 1/unit, rounded.
func number(typed string, unit float64) (int, bool) {
	f, ok := csvfile.Number(typed)
	if f = math.Round(f * unit); math.Abs(f) > 1e9 {
		return 0, false
	}
	return int(f), ok
}

func position(field string, most float64, at func(p *protocol.Point) *int32, names ...string) column {
	return column{names: names, field: "cameras[0].position." + field,
		read: func(r *record, typed string) string {
			f, ok := csvfile.Number(typed)
			if !ok || math.Abs(f) > most {
				return "degrees"
			}
			*at(&r.camera.Position.Point) = int32(math.Round(f * 1e6))
			r.camera.Position.Method = "typed"
			return ""
		},
		write: func(r record) string { return csvfile.Decimal(float64(*at(&r.camera.Position.Point)) / 1e6) }}
}

// readOutdoor takes a yes only: what does not film a public outdoor area is no
// part of the register.
func readOutdoor(r *record, typed string) string {
	yes, ok := csvfile.YesNo(typed)
	r.camera.OutdoorPublic.Yes = yes
	switch {
	case !ok:
		return "yes-no"
	case !yes:
		return "outdoor"
	}
	return ""
}

func readRetention(unit time.Duration) func(r *record, typed string) string {
	return func(r *record, typed string) string {
		f, ok := csvfile.Number(typed)
		age := time.Duration(math.Round(f*unit.Seconds())) * time.Second
		switch {
		case !ok || f <= 0 || f*unit.Seconds() > 1e9:
			return "number"
		case r.hours != nil && *r.hours != age:
			return "retention"
		}
		r.hours = &age
		r.camera.Retention = protocol.Retention{Kind: protocol.RetentionAge, Age: age}
		return ""
	}
}

// categoryWords are the categories in Italian; in English they are the
// protocol's own words.
var categoryWords = []struct {
	category protocol.Category
	words    []string
}{
	{"bank", []string{"banca"}}, {"pharmacy", []string{"farmacia"}}, {"shop", []string{"negozio", "esercizio commerciale"}},
	{"bar-restaurant", []string{"bar o ristorante", "bar", "ristorante", "restaurant"}}, {"hotel", []string{"albergo"}},
	{"condominium", []string{"condominio"}}, {"transport", []string{"trasporti", "trasporto"}}, {"school", []string{"scuola"}},
	{"health", []string{"sanità", "sanita", "salute"}}, {"public-body", []string{"ente pubblico"}}, {"company", []string{"azienda", "impresa"}},
	{"private-home", []string{"abitazione", "abitazione privata"}}, {"other", []string{"altro"}},
}

func readCategory(r *record, typed string) string {
	typed = strings.ToLower(strings.Join(strings.Fields(typed), " "))
	for _, c := range categoryWords {
		if typed == string(c.category) || slices.Contains(c.words, typed) {
			r.site.Category = c.category
			return ""
		}
	}
	return "category"
}

func categoryName(c protocol.Category) string {
	for _, w := range categoryWords {
		if w.category == c {
			return w.words[0]
		}
	}
	return string(c)
}

var roleNames = map[protocol.Role]string{protocol.RoleOwner: "proprietario", protocol.RoleReferent: "referente", protocol.RoleControlRoom: "sala operativa"}

func readRole(r *record, typed string) string {
	typed = strings.ToLower(strings.Join(strings.Fields(typed), " "))
	for role, name := range roleNames {
		if typed == string(role) || typed == name {
			r.contact.Role = role
			return ""
		}
	}
	return "role"
}
