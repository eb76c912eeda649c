// Package adhere is the public form "Aderisci", on which an owner declares a site and its
// cameras without an agent. It hides the steps, each a plain form that is saved when sent and
// works without scripts: the owner, the place, the cameras, the contacts, the proof of
// identity, and one summary before the act. Main mounts it on the public listener.
//
// What is typed is a registry.Submission, sealed, and no part of the register until its
// identity is confirmed and "Aderisco" is pressed; registry.Adhere then records it like an
// agent's declaration. An agent enrolled later with the receipt's code takes the entry over. A
// cookie opens the submission in its browser (web.BeginSubmission), a typed code in any other.
//
// Identity is proved by a link to the e-mail address or an invitation code (identity.go), or by
// SPID or CIE where the Comune has a provider (recognised.go); officers see the resulting trust
// level.
//
// With Options.Assisted it is the operators' form, for what an owner dictates on the telephone
// or writes on paper: the same steps up to the contacts, and then it is sent to the owner
// (assisted.go), who corrects and confirms it on the public form, or refuses it (dictated.go).
// The operator cannot read it again. Package ops lists what was sent.
//
// The pages of the place and of a camera have the fields that a map fills in: position
// ("latitude, longitude", in degrees), accuracy_m, method, and of a camera direction, angle and
// range (_map.html, map.go). Options.Find looks addresses up.
package adhere
