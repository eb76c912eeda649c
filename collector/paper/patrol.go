package paper

import (
	"fmt"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol"
	"anagrafe/protocol/pages"
)

// Patrol is the sheet that a patrol takes along: the doors in walking order.
type Patrol struct {
	Made      time.Time
	Force, By string
	Reference CaseRef
	Place     string // where they start: where it happened
	Stops     []Stop
}

// Stop is one door.
type Stop struct {
	Name, Address string
	Point         protocol.Point // of its first camera; not shown
	Contacts      []protocol.Contact
	Origin        string // what is to be minded of who declared it; "": nothing
	Revealed      bool   // false: whom to ask for was not opened
	Cameras       []Camera
}

// Ordered returns the sheet with its stops in walking order from a point.
func (p Patrol) Ordered(start protocol.Point) Patrol {
	points := make([]protocol.Point, len(p.Stops))
	for i, s := range p.Stops {
		points[i] = s.Point
	}
	stops := make([]Stop, len(p.Stops))
	for i, at := range walk(start, points) {
		stops[i] = p.Stops[at]
	}
	p.Stops = stops
	return p
}

// Document words the sheet.
func (p Patrol) Document(w *pages.Words) pdf.Document {
	d := pdf.Document{Title: "Foglio per la pattuglia", Author: p.Force, Lang: "it-IT", Made: p.Made, Page: "pagina %d di %d",
		Footer: []string{"Foglio per la pattuglia · " + p.Force + " · " + w.DateTime(p.Made), "Contiene dati personali: si distrugge dopo l'uso."}}
	ref := w.T("case.kind."+p.Reference.Kind) + prefixed(" ", p.Reference.Ref)
	d.Content = []pdf.Block{
		{Kind: pdf.H1, Text: "Foglio per la pattuglia"},
		{Kind: pdf.Text, Text: join(" · ", p.By, ref, prefixed("da: ", p.Place))},
	}
	table := pdf.Block{Kind: pdf.Table, Text: "Le porte, nell'ordine del cammino", Widths: []float64{2.4, 2.6, 2.4, 2.6},
		Head: []string{"Porta", "Chi cercare", "Telecamera sul registratore", "Intervallo sull'orologio del registratore"}}
	for i, s := range p.Stops {
		for n, c := range s.Cameras {
			door, ask := "", ""
			if n == 0 {
				door, ask = fmt.Sprintf("%d. %s", i+1, join(". ", join(", ", s.Name, s.Address), s.Origin)), s.ask(w)
			} else {
				door = fmt.Sprintf("%d. (stessa porta)", i+1)
			}
			shown := interval(w, c.Start, c.End) + " (ora vera: orologio mai misurato, prendere un'ora in più)"
			if c.Clock != nil {
				shown = c.Clock.interval()
			}
			table.Rows = append(table.Rows, []string{door, ask, join(", ", c.Name, prefixed("canale ", c.Channel), c.Recorder), shown})
		}
	}
	d.Content = append(d.Content, table)
	return d
}

// ask says whom to ask for at a door.
func (s Stop) ask(w *pages.Words) string {
	if !s.Revealed {
		return "recapito non aperto"
	}
	var all string
	for _, c := range s.Contacts {
		all = join("; ", all, join(", ", c.Name, w.T("role."+string(c.Role)), c.Phone, prefixed("risponde ", c.Hours)))
	}
	if all == "" {
		return "nessun recapito"
	}
	return all
}
