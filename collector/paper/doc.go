// Package paper makes the documents that officers take along: the request to
// acquire footage, with its blank handover record, and the sheet of a patrol. It
// hides their wording and order; web/consult fills them in, shows them as pages and
// hands them out, and package pdf draws the very same blocks.
//
// An Acquisition is all that a request says, as data. Its Encode is the canonical
// JSON that the register keeps, sealed, and that the trail names by its SHA-256: the
// file in PDF is made anew from it whenever it is asked for. That hash is printed at
// the foot of each page; a file cannot hold its own hash, which stands on the trail
// alone, beside the other. The id printed there is the one that the entry of the
// trail carries.
//
// Letters are no officer's: an association sends them to its members, with a code to
// join (letter.go), in Italian and English.
//
// All other documents are in Italian, the authentic language of the act, whatever language
// its page is read in.
package paper
