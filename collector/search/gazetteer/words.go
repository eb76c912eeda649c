package gazetteer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// word is one word of a name, as it is compared.
type word struct {
	text string // lower case, without accents, abbreviations written out, numerals in digits
	// short: the word stands for any that begins with it: an initial, or an
	// abbreviation that is not a known one ("Aless.").
	short bool
	raw   string // as typed, but for case and accents, with its dot
}

// maxWords bounds what is read of a text; the longest name of a street in Milan
// has eight words.
const maxWords = 16

// kinds of streets, as an address begins.
var kinds = set("via viale piazza piazzale piazzetta largo corso strada cavalcavia rotatoria rotonda tangenziale autostrada galleria rondo " +
	"raccordo svincolo vicolo vico bastioni bastione alzaia cascina foro ripa sottopasso sovrappasso sopraelevata tunnel ponte passaggio parco " +
	"giardino giardini salita contrada calle campo corte cortile traversa borgo circonvallazione quartiere villaggio sentiero discesa rampa " +
	"lungomare lungotevere lungarno molo banchina collegamento passeggiata scalinata scalo stradone")

// particles join the words of a name; whether they are there makes no difference.
var particles = set("di de d del dell della dei degli delle e ed il lo la l i gli le al all alla ai agli alle da dal dall dalla dai in su sul sulla n")

// titles may be there or not, and so may what says who owns a street.
var titles = set("generale colonnello ingegner dottor professor avvocato monsignor cardinale capitano tenente maggiore maresciallo sergente " +
	"cavalier architetto ragionier geometra onorevole don padre suor fra beato beata conte principe privata pubblica comunale")

// written out: abbreviations as they stand after the dots are taken off.
var written = pairs("vle=viale vl=viale cso=corso crs=corso pza=piazza pzza=piazza pzz=piazza ptta=piazzetta pzta=piazzetta ple=piazzale pzle=piazzale " +
	"plle=piazzale lgo=largo lg=largo vic=vicolo vlo=vicolo str=strada gall=galleria galla=galleria bast=bastioni circ=circonvallazione alz=alzaia " +
	"rot=rotatoria casc=cascina " +
	"snc=snc sn=snc pta=porta mte=monte pte=ponte flli=fratelli " +
	"gen=generale gral=generale col=colonnello ing=ingegner ingegnere=ingegner dott=dottor dr=dottor dottore=dottor prof=professor professore=professor " +
	"avv=avvocato mons=monsignor monsignore=monsignor card=cardinale cap=capitano ten=tenente magg=maggiore maresc=maresciallo serg=sergente " +
	"cav=cavalier cavaliere=cavalier arch=architetto rag=ragionier geom=geometra on=onorevole priv=privata " +
	"santa=san santo=san sant=san santi=san ss=san sta=san sto=san " +
	"primo=1 due=2 tre=3 quattro=4 cinque=5 sei=6 sette=7 otto=8 nove=9 dieci=10 undici=11 dodici=12 tredici=13 quattordici=14 quindici=15 " +
	"sedici=16 diciassette=17 diciotto=18 diciannove=19 venti=20 ventuno=21 ventidue=22 ventitre=23 ventiquattro=24 venticinque=25 ventisei=26 " +
	"ventisette=27 ventotto=28 ventinove=29 trenta=30 trentuno=31")

// kindsShort are abbreviations of a street's kind that are a kind in its place
// only: "p. Duomo", "c. Buenos Aires".
var kindsShort = pairs("p=piazza c=corso l=largo")

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func pairs(text string) map[string]string {
	m := make(map[string]string)
	for _, p := range strings.Fields(text) {
		short, long, _ := strings.Cut(p, "=")
		m[short] = long
	}
	return m
}

// plain is a text in lower case and without accents; what is no letter, digit
// or one of ./,- is a space.
func plain(text string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(text) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'º' || r == 'ª': // letters to Unicode
			b.WriteRune(' ')
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		case strings.ContainsRune("./,-", r):
			b.WriteRune(r)
		default:
			b.WriteRune(' ')
		}
	}
	return b.String()
}

// wordsOf takes a text apart. A comma stands alone among the words: text ",".
func wordsOf(text string) (all []word) {
	text = strings.ReplaceAll(plain(text), ",", " , ")
	for _, chunk := range strings.Fields(joinSlashes(text)) {
		if len(all) >= maxWords {
			return all
		}
		if chunk == "," {
			all = append(all, word{text: ","})
			continue
		}
		if chunk[0] >= '0' && chunk[0] <= '9' {
			all = append(all, word{text: strings.Trim(chunk, "./-"), raw: strings.Trim(chunk, "./-")})
			continue
		}
		all = append(all, lettersOf(chunk)...)
	}
	return all[:min(len(all), maxWords)]
}

// joinSlashes writes "7 / 2" as "7/2".
func joinSlashes(text string) string {
	parts := strings.Split(text, "/")
	for i := range parts {
		if i > 0 {
			parts[i] = strings.TrimLeft(parts[i], " ")
		}
		if i < len(parts)-1 {
			parts[i] = strings.TrimRight(parts[i], " ")
		}
	}
	return strings.Join(parts, "/")
}

// lettersOf takes apart what stands between two spaces: "F.lli" is one word,
// "G.B.", "S.Maria" and "Porta-Venezia" are two.
func lettersOf(chunk string) (all []word) {
	if long, ok := written[strings.ReplaceAll(chunk, ".", "")]; ok && strings.Contains(chunk, ".") {
		return []word{{text: long, raw: chunk}}
	}
	for part := range strings.FieldsFuncSeq(chunk, func(r rune) bool { return r == '-' || r == '/' }) {
		for len(part) > 0 {
			piece, rest, dotted := strings.Cut(part, ".")
			part = rest
			if piece == "" {
				continue
			}
			all = append(all, wordOf(piece, dotted))
		}
	}
	return all
}

func wordOf(piece string, dotted bool) word {
	w := word{text: piece, raw: piece, short: dotted || len(piece) == 1}
	if dotted {
		w.raw += "."
	}
	if long, ok := written[piece]; ok {
		w.text, w.short = long, false
	} else if n := roman(piece); n != "" {
		w.text = n
	}
	return w
}

// roman returns a numeral up to 39 in digits. Those of one letter are initials, and
// those with other letters words ("di", "mi").
func roman(s string) string {
	if len(s) < 2 || strings.Trim(s, "ivx") != "" {
		return ""
	}
	value := map[byte]int{'i': 1, 'v': 5, 'x': 10}
	n := 0
	for i := range len(s) {
		if i+1 < len(s) && value[s[i]] < value[s[i+1]] {
			n -= value[s[i]]
		} else {
			n += value[s[i]]
		}
	}
	tens := strings.Repeat("x", n/10)
	if n > 39 || tens+[]string{"", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"}[n%10] != s {
		return ""
	}
	return itoa(n)
}

// name is a street's name taken apart.
type name struct {
	kind  string // "" if it does not begin with one
	words []word // of the rest, without particles
	whole string // the rest in one word, with them
	set   uint64 // its letters
}

// nameOf takes an official name apart.
func nameOf(street string) (n name) {
	var words []word
	for _, w := range wordsOf(street) {
		if w.text != "," {
			words = append(words, w)
		}
	}
	if len(words) > 1 {
		if k := kindOf(words[0], true); k != "" {
			n.kind, words = k, words[1:]
		}
	}
	n.words, n.whole = withoutParticles(words), inOne(words)
	n.set = letters(n.whole)
	return n
}

// kindOf is the kind of street that a word stands for, "" for none; first: it is
// where a kind stands.
func kindOf(w word, first bool) string {
	switch {
	case kinds[w.text]:
		return w.text
	case first && w.text == "v":
		return "via"
	case first && w.short:
		return kindsShort[w.text]
	}
	return ""
}

// withoutParticles leaves them in a name that has nothing else.
func withoutParticles(words []word) []word {
	var kept []word
	for _, w := range words {
		if !particles[w.text] || strings.HasSuffix(w.raw, ".") { // "d'Aosta", but D. Alighieri
			kept = append(kept, w)
		}
	}
	if len(kept) == 0 {
		return words
	}
	return kept
}
