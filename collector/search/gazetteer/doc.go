// Package gazetteer finds an address, street or district from typed text, and the address
// nearest to a point, in memory and offline. It hides how addresses are written in Italy, and
// how the Comune's files of house numbers, streets and districts are read and kept.
// Consultation asks it before a search, the owners' pages while a camera is placed.
//
// # Certainty
//
// An answer says what it rests on: the house number itself, the nearest known number, the
// middle of a street, a district. Sure means that nobody needs to choose: the street fits as
// written, apart from accents, abbreviations or a missing first name; no other fits as well;
// every word was used; and the number is known. All else (a corrected typing error, another
// kind of street, two streets alike, an unknown number) is for a person to choose, even if
// there is only one.
//
// # Sources
//
// Each file is a source, stored whole in the register and replaced by the next import of that
// name. Three kinds are recognised by their columns: house numbers (Milan's ds634, and lists
// with street, number, lon and lat), points of other lists that name an address, and an index
// of streets. Only points surveyed at the door are exact; bus stops and charging columns, which
// name the nearest number, are rough (in Milan 25 m in the median, at most 179 m). Spellings of
// one street are merged ("Via Lanza Giovanni" is Via Giovanni Lanza), and the best source's
// name is shown.
package gazetteer
