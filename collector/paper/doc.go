// Package paper makes the documents that officers take along: the request to acquire
// footage, with its blank handover record, and the sheet of a patrol. It hides their wording
// and order; web/consult fills them in, shows them as pages and hands them out, and package
// pdf renders the same blocks.
//
// An Acquisition is all that a request says, as data. Its Encode is the canonical JSON that
// the register stores sealed and that the trail names by its SHA-256; the PDF is made from
// it on demand. Each page's foot shows that hash and the id of the trail's entry; the hash
// of the file itself stands on the trail alone.
//
// The documents are in Italian, the authentic language of the act.
package paper
