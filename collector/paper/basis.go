package paper

// Basis is the article of the code of criminal procedure on which footage is
// asked for.
type Basis string

const (
	Document  Basis = "234" // a private recording is a document, to be acquired
	Assurance Basis = "348" // the police secure the sources of proof
	Urgent    Basis = "354" // orders needed to preserve, of an ufficiale di PG
)

// Bases are all of them, in the order in which they are offered.
var Bases = []Basis{Assurance, Document, Urgent}

// ground is a legal basis in words.
type ground struct {
	article string // as it is quoted
	ask     string // what is asked on it
}

// grounds is the one table of what the document says of the law, as of November
// 2026; the Procura is to confirm it before use. That a private recording is a
// document that is acquired without a seizure: Cass. 34173/2025. That the
// prescriptions of art. 354, paragraph 2 are an ufficiale's: there, and art. 113
// disp. att. for agenti, in urgent need alone.
var grounds = map[Basis]ground{
	Document: {
		"art. 234 c.p.p. (prova documentale)",
		"Le registrazioni indicate sotto sono documenti utili alle indagini. La invito a consegnarne copia: non serve un sequestro.",
	},
	Assurance: {
		"art. 348 c.p.p. (assicurazione delle fonti di prova)",
		"La polizia giudiziaria raccoglie quanto serve a ricostruire il fatto. La invito a consegnare copia delle registrazioni indicate sotto. È un invito: " +
			"se non può o non vuole, lo dica subito a chi chiede.",
	},
	Urgent: {
		"art. 354, comma 2, c.p.p. (accertamenti urgenti)",
		"C'è pericolo che le registrazioni indicate sotto vadano perse. Prescrivo di conservarle e di non alterarle, e chiedo di consegnarne copia, fatta in " +
			"modo che sia conforme all'originale e non modificabile.",
	},
}

// Known reports whether a basis is one of them.
func (b Basis) Known() bool { _, ok := grounds[b]; return ok }

// Article is how the basis is quoted.
func (b Basis) Article() string { return grounds[b].article }
