package paper

import (
	"fmt"
	"time"

	"anagrafe/collector/pdf"
	"anagrafe/protocol/pages"
)

// MaxLetters bounds one file of letters.
const MaxLetters = 1000

// Letters are the letters that an association prints and sends to its members, each
// with a code of its own. None names anybody: the association knows to whom it sends
// which, and the register does not.
type Letters struct {
	Association string
	Comune      string // who keeps the register
	Ask         string // how to reach it: a phone, an address
	PublicURL   string // where the information notice is
	Made        time.Time
	Expires     time.Time // of the codes
	Codes       []LetterCode
}

// LetterCode is what one letter brings.
type LetterCode struct{ Code, Link string }

// Document words the letters, one a page: in Italian, then the same in English.
func (l Letters) Document() (pdf.Document, error) {
	d := pdf.Document{Title: "Lettere di " + l.Association, Author: l.Comune, Lang: "it-IT", Made: l.Made, Most: len(l.Codes),
		Footer: []string{l.Comune + " · Registro delle telecamere private che riprendono aree aperte al pubblico"}}
	if len(l.Codes) == 0 || len(l.Codes) > MaxLetters {
		return d, fmt.Errorf("a file holds 1 to %d letters, not %d", MaxLetters, len(l.Codes))
	}
	for i, c := range l.Codes {
		if i > 0 {
			d.Content = append(d.Content, pdf.Block{Kind: pdf.Break})
		}
		picture, err := pages.QRImage(c.Link)
		if err != nil {
			return d, err
		}
		d.Content = append(d.Content, l.italian()...)
		d.Content = append(d.Content, pdf.Block{Kind: pdf.Image, Picture: picture, SideMM: letterQR, Text: "Codice QR con il collegamento scritto qui sotto"})
		d.Content = append(d.Content, l.facts(c))
		d.Content = append(d.Content, l.english()...)
	}
	return d, nil
}

// letterQR is the side of the QR code, in millimetres: with about 50 modules each is
// over half a millimetre, which a telephone reads at arm's length.
const letterQR = 38

func (l Letters) italian() []pdf.Block {
	return []pdf.Block{
		{Kind: pdf.H1, Text: "Ha telecamere che riprendono la strada? Può aiutare."},
		{Kind: pdf.Small, Text: fmt.Sprintf("Lettera di %s ai propri associati. Chi tiene il registro: %s.", l.Association, l.Comune)},
		{Kind: pdf.Text, Text: "Quando succede qualcosa, le Forze dell'Ordine perdono ore a cercare chi può averlo ripreso, e intanto le immagini si cancellano. " +
			"Il registro dice dove sono le telecamere private che riprendono luoghi aperti a tutti, e chi chiamare. " +
			"Contiene solo questo: mai un'immagine, mai una password."},
		{Kind: pdf.List, Items: []string{
			"È volontario. Se non risponde non succede niente; chi aderisce può sospendere o togliersi in ogni momento.",
			fmt.Sprintf("Per aderire: su un computer della rete delle telecamere installi il programma, che è gratuito e si trova da %s, e vi scriva il codice "+
				"qui sotto o vi copi il collegamento. Manda solo ciò che lei conferma.", l.PublicURL),
			"Il registro non sa chi ha ricevuto questa lettera: di lei non c'è nulla finché non usa il codice. Il codice vale una volta sola, fino al " + l.last() + ".",
			fmt.Sprintf("Domande, o un aiuto per aderire: %s, %s. L'informativa sul trattamento dei dati è su %s/privacy.", l.Comune, l.Ask, l.PublicURL),
		}},
	}
}

// last is the last day through which the codes are good.
func (l Letters) last() string {
	return l.Expires.In(pages.Rome()).AddDate(0, 0, -1).Format("02/01/2006")
}

func (l Letters) facts(c LetterCode) pdf.Block {
	return pdf.Block{Kind: pdf.Facts, Text: "Il codice", Rows: [][]string{{"Codice / Code", c.Code}, {"Collegamento / Link", c.Link}}}
}

func (l Letters) english() []pdf.Block {
	const lang = "en-GB"
	return []pdf.Block{
		{Kind: pdf.H2, Lang: lang, Text: "Do your cameras film the street? You can help."},
		{Kind: pdf.Text, Lang: lang, Text: "When something happens, the police lose hours looking for who may have filmed it, while footage is being overwritten. " +
			"The register says where private cameras film places open to everybody, and whom to call: never an image, never a password."},
		{Kind: pdf.List, Lang: lang, Items: []string{
			"It is voluntary. Nothing happens if you do not answer; who joins can suspend or leave at any time.",
			fmt.Sprintf("To join: on a computer in the cameras' network install the program, which is free and found from %s, and type the code above into it "+
				"or paste the link. It sends only what you confirm.", l.PublicURL),
			"The register does not know who was sent this letter. The code works once, until " + l.last() + ".",
			fmt.Sprintf("Questions, or help with joining: %s, %s. Privacy notice: %s/privacy.", l.Comune, l.Ask, l.PublicURL),
		}},
	}
}
