// Package gazetteer finds an address, a street or a district by what a person
// typed, and the nearest address of a point, in memory and offline. It hides how
// addresses are written in Italy, and how the Comune's files of house numbers,
// streets and districts are read and kept. Consultation asks it before a search,
// the pages of owners may.
//
// # Never silently wrong
//
// An answer says what it rests on: the house number itself, the nearest number
// that is known, the middle of a street, a district. Sure tells that nobody needs
// to be asked: the street fits as it is written, but for an accent, an
// abbreviation or a first name left out, no other fits as well, every word was
// used and the number is there. Whatever else is found (a typing error put right,
// another kind of street, two streets that fit alike, a number that is not
// known) is for the person to choose, even if there is but one.
//
// # What is kept
//
// Each file is a source, kept whole in the register and replaced whole by the next
// import of that name. Three kinds of files are known by their columns: house
// numbers (the official ds634 of Milan, and lists with street, number, lon and
// lat), points of other lists that name an address, and an index of streets. Only
// points that were taken at the door count for a number; those of bus stops and
// charging columns, which name the number nearest to them, are rough: in Milan 25 m
// off in the middle and 179 m at most, so that a number known by them alone is
// never exact. Streets that are the same by their words are one, however they are
// written ("Via Lanza Giovanni" is Via Giovanni Lanza); the name of the best
// source is the one that is shown.
package gazetteer
