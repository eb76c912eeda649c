package public

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"anagrafe/collector/disclosure"
)

// The files are for machines: one language, the words of package protocol.

// sharing writes who shares: the last publication of each month, a line a count.
func (p *Public) sharing(rw http.ResponseWriter, r *http.Request) {
	n, err := p.numbers(r)
	if err != nil {
		p.Web.Broken(rw, r, err)
		return
	}
	rows := [][]string{{"data", "ripartizione", "voce", "luoghi", "telecamere", "nascosto"}}
	for _, d := range n.sharing {
		row := func(of, name string, cells []disclosure.Cell) {
			rows = append(rows, []string{d.Day.Format(time.DateOnly), of, name, count(cells[0]), count(cells[1]), yes(cells[0].Hidden)})
		}
		row("totale", "", d.Total)
		for _, m := range d.Margins {
			for _, l := range m.Lines {
				row(m.Of, l.Name, l.Cells)
			}
		}
	}
	p.writeCSV(rw, rows)
}

// consultations writes how often was searched, a line a month and force.
func (p *Public) consultations(rw http.ResponseWriter, r *http.Request) {
	n, err := p.numbers(r)
	if err != nil {
		p.Web.Broken(rw, r, err)
		return
	}
	rows := [][]string{{"mese", "atto", "forza", "numero", "nascosto"}}
	for _, m := range n.months {
		row := func(kind, force string, c disclosure.Cell) {
			rows = append(rows, []string{m.Period, kind, force, count(c), yes(c.Hidden)})
		}
		row("ricerca", "", m.Searches.Total[0])
		for _, margin := range m.Searches.Margins {
			for _, l := range margin.Lines {
				if l.Name != "" {
					row("ricerca", l.Name, l.Cells[0])
				}
			}
		}
		row("richiesta di conservare", "", m.Requests.Total[0])
	}
	p.writeCSV(rw, rows)
}

func count(c disclosure.Cell) string {
	if c.Hidden {
		return ""
	}
	return strconv.Itoa(c.Count)
}

func yes(is bool) string {
	if is {
		return "si"
	}
	return "no"
}

func (p *Public) writeCSV(rw http.ResponseWriter, rows [][]string) {
	rw.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present") // RFC 4180 and 7111
	w := csv.NewWriter(rw)
	w.UseCRLF = true
	if err := w.WriteAll(rows); err != nil {
		p.Log.Debug("a file of statistics was not taken", "err", err)
	}
}

// licence is that of the numbers.
const licence = "https://creativecommons.org/licenses/by/4.0/"

// catalogue describes the files by the Italian profile of DCAT (DCAT-AP_IT 1.0, AgID
// 2016), as JSON-LD: a catalogue of open data may harvest it.
func (p *Public) catalogue(rw http.ResponseWriter, r *http.Request) {
	n, err := p.numbers(r)
	if err != nil {
		p.Web.Broken(rw, r, err)
		return
	}
	type object map[string]any
	at := func(path string) string { return p.Web.PublicURL + path }
	it := func(text string) object { return object{"@language": "it", "@value": text} }
	holder := object{"@id": at("/#titolare"), "@type": []string{"dcatapit:Agent", "foaf:Agent"}, "foaf:name": it(p.holder())}
	modified := object{"@type": "xsd:date", "@value": n.updated().Format(time.DateOnly)}
	dataset := func(id, path, title, description, frequency string) object {
		d := object{"@id": at(statisticsPath + "#" + id), "@type": []string{"dcatapit:Dataset", "dcat:Dataset"}, "dct:identifier": id,
			"dct:title": it(title), "dct:description": it(description), "dct:rightsHolder": object{"@id": holder["@id"]},
			"dcat:theme":             object{"@id": "http://publications.europa.eu/resource/authority/data-theme/GOVE"},
			"dct:accrualPeriodicity": object{"@id": "http://publications.europa.eu/resource/authority/frequency/" + frequency},
			"dct:language":           object{"@id": "http://publications.europa.eu/resource/authority/language/ITA"},
			"dcat:landingPage":       object{"@id": at(statisticsPath)},
			"dcat:distribution": object{"@id": at(path) + "#csv", "@type": []string{"dcatapit:Distribution", "dcat:Distribution"},
				"dct:title": it(title), "dcat:accessURL": object{"@id": at(statisticsPath)}, "dcat:downloadURL": object{"@id": at(path)},
				"dct:format": object{"@id": "http://publications.europa.eu/resource/authority/file-type/CSV"}, "dct:license": object{"@id": licence}}}
		if !n.updated().IsZero() {
			d["dct:modified"] = modified
		}
		return d
	}
	catalogue := object{
		"@context": object{"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/",
			"dcatapit": "http://dati.gov.it/onto/dcatapit#", "xsd": "http://www.w3.org/2001/XMLSchema#"},
		"@id": at(cataloguePath), "@type": []string{"dcatapit:Catalog", "dcat:Catalog"},
		"dct:title":       it("Anagrafe Telecamere: dati aperti"),
		"dct:description": it("I numeri del registro delle telecamere private che riprendono aree aperte al pubblico."),
		"dct:publisher":   holder, "foaf:homepage": object{"@id": at(statisticsPath)}, "dct:license": object{"@id": licence},
		"dcat:dataset": []object{
			dataset("adesioni", sharingPath, "Adesioni al registro delle telecamere",
				"Luoghi che condividono telecamere, e telecamere, per municipio e categoria: l'ultimo dato pubblicato di ogni mese.", "IRREG"),
			dataset("consultazioni", consultationPath, "Consultazioni del registro delle telecamere",
				"Ricerche delle Forze dell'Ordine e richieste di conservare le immagini, per mese e per forza.", "MONTHLY"),
		},
	}
	if !n.updated().IsZero() {
		catalogue["dct:modified"] = modified
	}
	rw.Header().Set("Content-Type", "application/ld+json")
	enc := json.NewEncoder(rw)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(catalogue); err != nil {
		p.Log.Debug("the catalogue was not taken", "err", err)
	}
}

// holder is whose data they are.
func (p *Public) holder() string {
	if p.Web.Body.Name == "" {
		return "Titolare del registro"
	}
	return p.Web.Body.Name
}
