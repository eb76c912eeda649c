package review

import (
	"slices"
	"time"
)

// source is a text that advice stands on, cited as a lawyer finds it. Texts
// change: each has its own date, and the table the day of its last change.
type source struct {
	Cite string    // in Italian
	Date time.Time // of the text; the hour means nothing
}

// sourcesAsOf is the day on which the table was written or last changed.
var sourcesAsOf = dayOf(2026, 11, 22)

var (
	garante2010 = source{"Garante per la protezione dei dati personali, provvedimento in materia di videosorveglianza, punto 3.4", dayOf(2010, 4, 8)}
	garante2020 = source{"Garante per la protezione dei dati personali, FAQ sulla videosorveglianza", dayOf(2020, 12, 5)}
	garante2024 = source{"Garante per la protezione dei dati personali, nota sulle telecamere dei privati", dayOf(2024, 5, 15)}
	edpb2020    = source{"Comitato europeo per la protezione dei dati (EDPB), linee guida 3/2019 sui dispositivi video", dayOf(2020, 1, 29)}
	gdpr2016    = source{"Regolamento (UE) 2016/679, art. 5, paragrafo 1, lettera c)", dayOf(2016, 4, 27)}
	towns2009   = source{"D.L. 23 febbraio 2009, n. 11, art. 6, comma 8", dayOf(2009, 2, 23)}
	workers1970 = source{"L. 20 maggio 1970, n. 300 (Statuto dei lavoratori), art. 4", dayOf(1970, 5, 20)}
	condo2012   = source{"Codice civile, art. 1122-ter, aggiunto dalla L. 11 dicembre 2012, n. 220", dayOf(2012, 12, 11)}
)

// tip is one kind of advice. Its words are "advice.KEY", "advice.KEY.why" and
// "advice.KEY.do".
type tip struct {
	Key     string
	Sources []source
	Confirm bool // our reading of the text: a professional should confirm it
}

// tips is all the advice there is, in the order in which it is shown.
var tips = []tip{
	{"sign", []source{garante2020, edpb2020}, false},
	{"retention.week", []source{garante2010, garante2020}, false},
	{"retention.town", []source{towns2009, garante2020}, false},
	{"retention.reasons", []source{garante2020, garante2010}, false},
	{"retention.disk", []source{garante2020}, false},
	{"retention.unknown", []source{garante2020}, false},
	{"home", []source{garante2024}, false},
	{"view", []source{gdpr2016, edpb2020}, true},
	{"employees", []source{workers1970}, true},
	{"resolution", []source{condo2012}, true},
}

// tipOf is the advice of that key.
func tipOf(key string) (tip, bool) {
	i := slices.IndexFunc(tips, func(t tip) bool { return t.Key == key })
	if i < 0 {
		return tip{}, false
	}
	return tips[i], true
}

// dayOf is noon of a day, which is that day in Italy, too.
func dayOf(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
}
