package letter

import (
	"fmt"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
)

// Association sends codes to its members, each with a letter of its own. None names
// anybody: the association knows to whom it sends which, and the register does not.
type Association struct {
	Name      string
	Comune    string // who keeps the register
	Ask       string // how to reach it: a phone, an address
	PublicURL string // where the information notice is
	Made      time.Time
	Expires   time.Time // of the codes
	Codes     []AssociationCode
}

// AssociationCode is what one letter brings.
type AssociationCode struct{ Code, Link string }

// Document words the letters, one a page: in Italian, then the same in English.
func (a Association) Document() (pdf.Document, error) {
	d := pdf.Document{Title: "Lettere di " + a.Name, Author: a.Comune, Lang: "it-IT", Made: a.Made, Most: len(a.Codes),
		Footer: []string{a.Comune + " · Registro delle telecamere private che riprendono aree aperte al pubblico"}}
	if len(a.Codes) == 0 || len(a.Codes) > Most {
		return d, fmt.Errorf("a file holds 1 to %d letters, not %d", Most, len(a.Codes))
	}
	for i, c := range a.Codes {
		if i > 0 {
			d.Content = append(d.Content, pdf.Block{Kind: pdf.Break})
		}
		picture, err := pages.QRImage(c.Link)
		if err != nil {
			return d, err
		}
		d.Content = append(d.Content, a.italian()...)
		d.Content = append(d.Content, pdf.Block{Kind: pdf.Image, Picture: picture, SideMM: associationQR, Text: "Codice QR con il collegamento scritto qui sotto"})
		d.Content = append(d.Content, a.facts(c))
		d.Content = append(d.Content, a.english()...)
	}
	return d, nil
}

// associationQR is the side of the QR code, in millimetres: with about 50 modules each is
// over half a millimetre, which a telephone reads at arm's length.
const associationQR = 38

func (a Association) italian() []pdf.Block {
	return []pdf.Block{
		{Kind: pdf.H1, Text: "Ha telecamere che riprendono la strada? Può aiutare."},
		{Kind: pdf.Small, Text: fmt.Sprintf("Lettera di %s ai propri associati. Chi tiene il registro: %s.", a.Name, a.Comune)},
		{Kind: pdf.Text, Text: "Quando succede qualcosa, le Forze dell'Ordine perdono ore a cercare chi può averlo ripreso, e intanto le immagini si cancellano. " +
			"Il registro dice dove sono le telecamere private che riprendono luoghi aperti a tutti, e chi chiamare. " +
			"Contiene solo questo: mai un'immagine, mai una password."},
		{Kind: pdf.List, Items: []string{
			"È volontario. Se non risponde non succede niente; chi aderisce può sospendere o togliersi in ogni momento.",
			fmt.Sprintf("Per aderire: su un computer della rete delle telecamere installi il programma, che è gratuito e si trova da %s, e vi scriva il codice "+
				"qui sotto o vi copi il collegamento. Nel registro va solo ciò che lei conferma.", a.PublicURL),
			"Il registro non sa chi ha ricevuto questa lettera: di lei non c'è nulla finché non usa il codice. Il codice vale una volta sola, fino al " + a.last() + ".",
			fmt.Sprintf("Domande, o un aiuto per aderire: %s, %s. L'informativa sul trattamento dei dati è su %s/privacy.", a.Comune, a.Ask, a.PublicURL),
		}},
	}
}

// last is the last day through which the codes are good.
func (a Association) last() string {
	return a.Expires.In(pages.Rome()).AddDate(0, 0, -1).Format("02/01/2006")
}

func (a Association) facts(c AssociationCode) pdf.Block {
	return pdf.Block{Kind: pdf.Facts, Text: "Il codice", Rows: [][]string{{"Codice / Code", c.Code}, {"Collegamento / Link", c.Link}}}
}

func (a Association) english() []pdf.Block {
	const lang = "en-GB"
	return []pdf.Block{
		{Kind: pdf.H2, Lang: lang, Text: "Do your cameras film the street? You can help."},
		{Kind: pdf.Text, Lang: lang, Text: "When something happens, the police lose hours looking for who may have filmed it, while footage is being overwritten. " +
			"The register says where private cameras film places open to everybody, and whom to call: never an image, never a password."},
		{Kind: pdf.List, Lang: lang, Items: []string{
			"It is voluntary. Nothing happens if you do not answer; who joins can suspend or leave at any time.",
			fmt.Sprintf("To join: on a computer in the cameras' network install the program, which is free and found from %s, and type the code above into it "+
				"or paste the link. Only what you confirm goes into the register.", a.PublicURL),
			"The register does not know who was sent this letter. The code works once, until " + a.last() + ".",
			fmt.Sprintf("Questions, or help with joining: %s, %s. Privacy notice: %s/privacy.", a.Comune, a.Ask, a.PublicURL),
		}},
	}
}
