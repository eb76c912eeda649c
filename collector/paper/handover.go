package paper

import "anagrafe/collector/pdf"

// handover is the blank record: what was given to whom, and how it can be told
// from any other copy.
func (a Acquisition) handover() []pdf.Block {
	all := []pdf.Block{
		{Kind: pdf.Break},
		{Kind: pdf.H2, Text: "Verbale di consegna"},
		{Kind: pdf.Text, Text: "Allegato alla richiesta di acquisizione n. " + a.Title() + ". Si compila alla consegna, in due copie."},
	}
	for _, name := range []string{"Luogo, giorno e ora", "Consegna (nome e documento)", "In qualità di", "Riceve (grado, nome, ufficio)", "Ha copiato (nome, in qualità di)",
		"Ora vera alla copia", "Ora del registratore alla copia", "Supporto (tipo e numero)", "Programma per vedere (player)"} {
		all = append(all, pdf.Block{Kind: pdf.Blank, Text: name})
	}
	all = append(all, pdf.Block{Kind: pdf.H3, Text: "File consegnati"})
	for _, s := range a.Sites {
		for _, c := range s.Cameras {
			name := c.Name
			if len(a.Sites) > 1 {
				name = s.Name + ", " + c.Name
			}
			all = append(all, pdf.Block{Kind: pdf.Blank, Text: name + ": nome del file"}, pdf.Block{Kind: pdf.Blank, Text: "Impronta SHA-256"})
		}
	}
	return append(all,
		pdf.Block{Kind: pdf.Blank, Text: "Mancano, e perché"},
		pdf.Block{Kind: pdf.Blank, Text: "Firma di chi consegna"}, pdf.Block{Kind: pdf.Blank, Text: "Firma di chi riceve"})
}
