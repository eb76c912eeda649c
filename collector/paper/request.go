package paper

import (
	"fmt"
	"strings"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
)

// Document words the request: what is asked, and a blank record of the handover.
func (a Acquisition) Document(w *pages.Words) (pdf.Document, error) {
	hash, err := a.hash()
	if err != nil {
		return pdf.Document{}, err
	}
	d := pdf.Document{Title: "Richiesta di acquisizione n. " + a.Title(), Author: a.From.Force, Lang: "it-IT", Made: a.Made, Page: "pagina %d di %d",
		Footer: []string{
			"Richiesta di acquisizione n. " + a.Title() + " · " + a.From.Force + " · registro degli accessi: " + a.ID,
			fmt.Sprintf("SHA-256 dei dati della richiesta: %x", hash),
		}}
	d.Content = append(d.Content, a.opening(w)...)
	for _, s := range a.Sites {
		d.Content = append(d.Content, s.blocks(w)...)
	}
	d.Content = append(d.Content, a.closing()...)
	d.Content = append(d.Content, a.handover()...)
	return d, nil
}

// opening words the request itself: sender, addressee, object and legal basis.
func (a Acquisition) opening(w *pages.Words) []pdf.Block {
	facts := rows(
		"Chi chiede", join(", ", a.From.Force, a.From.Office),
		"Redatta da", join(", ", a.From.Officer, a.From.Qualification),
		"Telefono", a.From.Phone,
		"A chi", join(", ", a.To.Name, prefixed("codice fiscale ", a.To.FiscalCode)),
		"Nella persona di", join(", ", a.To.Representative, a.To.Capacity),
		"PEC", a.To.PEC,
		"Riferimento", a.reference(w),
		"Base giuridica", a.Basis.Article(),
		"Luogo del fatto", a.Place,
		"Tempo del fatto", interval(w, a.Start, a.End)+" (ora vera, in Italia)",
	)
	all := []pdf.Block{
		{Kind: pdf.H1, Text: "Richiesta di acquisizione di registrazioni video"},
		{Kind: pdf.Text, Text: "n. " + a.Title() + ", " + w.DateTime(a.Made)},
		{Kind: pdf.Facts, Text: "Chi chiede, a chi, per quale fatto", Rows: facts},
		{Kind: pdf.H2, Text: "Che cosa si chiede"},
		{Kind: pdf.Text, Text: grounds[a.Basis].ask},
	}
	if !a.Asked.IsZero() {
		all = append(all, pdf.Block{Kind: pdf.Text, Text: "Segue la richiesta di conservare inviata " + w.DateTime(a.Asked) + "."})
	}
	return append(all, pdf.Block{Kind: pdf.H2, Text: "Telecamere e intervalli"},
		pdf.Block{Kind: pdf.Text, Text: "Cerchi le registrazioni con l'ora che segna il registratore: è quella da usare davanti all'apparecchio. L'ora vera serve a chi legge gli atti."})
}

func (a Acquisition) reference(w *pages.Words) string {
	kind := w.T("case.kind." + a.Case.Kind)
	if a.Case.Ref == "" {
		return kind + ", numero da comunicare"
	}
	return kind + " " + a.Case.Ref
}

// blocks are one place and its cameras.
func (s Site) blocks(w *pages.Words) []pdf.Block {
	table := pdf.Block{Kind: pdf.Table, Text: "Telecamere di " + s.Name, Widths: []float64{2.2, 2.2, 2, 2.2, 1.8},
		Head: []string{"Telecamera, come si chiama sul registratore", "Registratore", "Intervallo, ora vera", "Intervallo sull'orologio del registratore", "Si cancella"}}
	var order []string // of what is said of clocks
	clocks := make(map[string][]string)
	for _, c := range s.Cameras {
		name := c.Name
		if c.OldName != "" {
			name += " (allora: " + c.OldName + ")"
		}
		shown := "mai misurato: prenda un'ora in più, prima e dopo"
		if c.Clock != nil {
			shown = c.Clock.interval()
		}
		over := "non si sa: al più presto"
		if !c.Overwritten.IsZero() {
			over = w.Short(c.Overwritten)
		}
		table.Rows = append(table.Rows, []string{name, join(", ", c.Recorder, prefixed("canale ", c.Channel)), interval(w, c.Start, c.End), shown, over})
		if c.Clock != nil {
			said := c.Clock.words(w)
			if clocks[said] == nil {
				order = append(order, said)
			}
			clocks[said] = append(clocks[said], c.Name) // of one recorder, mostly
		}
	}
	all := []pdf.Block{{Kind: pdf.H3, Text: join(", ", s.Name, s.Address)}, table}
	if len(order) > 0 {
		all = append(all, pdf.Block{Kind: pdf.Small, Text: "Orologi dei registratori, come misurati (gli intervalli qui sopra ne tengono già conto):"})
		for _, said := range order {
			all = append(all, pdf.Block{Kind: pdf.Small, Text: strings.Join(clocks[said], ", ") + ": " + said})
		}
	}
	return all
}

// words say how right the clock is, and how that is known.
func (c Clock) words(w *pages.Words) string {
	offset := time.Duration(c.OffsetMs) * time.Millisecond
	right := "giusto"
	switch {
	case offset >= time.Second:
		right = "avanti di " + spell(offset)
	case offset <= -time.Second:
		right = "indietro di " + spell(-offset)
	}
	within := ", con un'incertezza di " + spell(time.Duration(max(c.UncertaintyMs, 1000))*time.Millisecond)
	return right + within + ", misurato il " + w.Short(c.At) + prefixed(" con ", c.Method)
}

// interval writes the digits that the recorder's display shows.
func (c Clock) interval() string {
	from, err1 := time.Parse(digits, c.From)
	until, err2 := time.Parse(digits, c.Until)
	if err1 != nil || err2 != nil { // it was made elsewhere than by this program
		return c.From + " - " + c.Until
	}
	if from.Format(time.DateOnly) == until.Format(time.DateOnly) {
		return from.Format("02/01/2006") + ", dalle " + from.Format("15:04:05") + " alle " + until.Format("15:04:05")
	}
	return "dal " + from.Format("02/01/2006 15:04:05") + " al " + until.Format("02/01/2006 15:04:05")
}

// digits is the layout of a wall time without a zone.
const digits = "2006-01-02T15:04:05"

// closing says how to hand over, what to do meanwhile, and what to mind.
func (a Acquisition) closing() []pdf.Block {
	how := []string{
		"Nel formato originale del registratore, senza convertire né tagliare, con il programma per vederlo (player) se il formato lo richiede.",
		"Tutto l'intervallo indicato, di ogni telecamera.",
		"Per ogni file si calcola l'impronta SHA-256 quando si copia, e si scrive nel verbale di consegna qui allegato.",
		"Copia chi conosce l'apparecchio: il responsabile, il suo tecnico, o la polizia giudiziaria insieme a loro. Nel verbale si scrive chi.",
		"Alla copia si legge l'ora del registratore accanto all'ora vera, e si scrivono entrambe.",
	}
	if a.Delivery != "" {
		how = append(how, "Consegna: "+a.Delivery)
	}
	mind := []string{
		"Gli atti d'indagine sono coperti dal segreto (art. 329 c.p.p.): non ne parli con altri.",
		"Conservi questa richiesta: documenta a chi, quando e perché ha dato le registrazioni.",
		"Chi chiede tratta questi dati secondo il d.lgs. 18 maggio 2018, n. 51; a quell'ufficio può chiedere come sono usati.",
		"Consegnare una copia non toglie la sua telecamera dall'anagrafe, e l'anagrafe non riceve alcuna immagine.",
	}
	check := "Per essere sicuro che la richiesta sia vera chiami il centralino della forza, a un numero che trova da sé."
	if a.CheckCode != "" {
		check = "Per essere sicuro che la richiesta sia vera provi il codice " + a.CheckCode + prefixed(" alla pagina ", a.CheckPage) + ", o chiami il centralino della forza, a un numero che trova da sé."
	}
	return []pdf.Block{
		{Kind: pdf.H2, Text: "Come consegnare"}, {Kind: pdf.List, Items: how},
		{Kind: pdf.H2, Text: "Nel frattempo"},
		{Kind: pdf.Text, Text: "Conservi le registrazioni: le blocchi o le copi prima che il registratore le cancelli, non spenga e non ripristini " +
			"l'apparecchio, non ne cambi l'ora. Se non ci riesce, chiami subito chi chiede."},
		{Kind: pdf.H2, Text: "Da sapere"}, {Kind: pdf.List, Items: append(mind, check)},
		{Kind: pdf.Blank, Text: "Luogo e data"}, {Kind: pdf.Blank, Text: "Firma di chi chiede"},
	}
}

func interval(w *pages.Words, from, until time.Time) string {
	switch {
	case !until.After(from):
		return w.Day(from) + ", ore " + w.Seconds(from)
	case w.Day(from) == w.Day(until):
		return w.Day(from) + ", dalle " + w.Seconds(from) + " alle " + w.Seconds(until)
	}
	return "dal " + w.Day(from) + " " + w.Seconds(from) + " al " + w.Day(until) + " " + w.Seconds(until)
}

// rows pairs names with what is said of them, and leaves out those of which
// nothing is.
func rows(pairs ...string) (all [][]string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, pairs[i:i+2])
		}
	}
	return all
}

// join joins what is not empty.
func join(between string, parts ...string) string {
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, p)
		}
	}
	return strings.Join(said, between)
}

// prefixed is a text with a word before it, "" for none.
func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// spell writes a span to the second: "58 min 3 s".
func spell(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d/time.Hour), int(d/time.Minute%60), int(d/time.Second%60)
	var parts []string
	for _, p := range []struct {
		n    int
		unit string
	}{{h, "h"}, {m, "min"}, {s, "s"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.unit))
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}
