// Package adhere is the public form "Aderisci": the declaration of a site and its
// cameras, typed by hand by those who cannot install anything. Each step is a plain
// form that is kept when it is sent and works without scripts: who you are, the
// place, the cameras one by one, whom to call, how it is known that it is you, and one
// summary right before the act.
//
// What was typed is a registry.Submission, sealed, and no part of the register until
// its identity is confirmed and "Aderisco" is pressed; registry.Adhere then records it
// as an agent's declaration is. An agent that is enrolled later with the code of the
// receipt takes the entry over. A browser has its submission open by a cookie
// (web.BeginSubmission), any other by a code that is typed.
//
// Who adheres is known by a link to their e-mail address, or by an invitation code of
// the Comune (identity.go); how far that goes is the trust that officers see. Whatever
// other way there is keeps a registry.Identity in the submission (ChangeSubmission)
// and sends the browser on to Path+"/riepilogo".
//
// # Assisted entry
//
// Options.Assisted makes it the form of the operators' listener, for who types what an
// owner says on the telephone, or wrote on paper: the same steps up to whom to call, and
// then the sending to the owner (assisted.go), who finds it on the public form
// (dictated.go), corrects and confirms it there, or refuses it. Its operator cannot read
// it again. Package ops has the list of what was sent.
//
// # Hooks
//
// The pages of the place and of a camera have the fields that a map fills in: position
// ("latitude, longitude", in degrees), accuracy_m, method, and of a camera direction,
// angle and range. Their template "map" (_map.html) stands between address and fields,
// and gets a pages.FOV (map.go). Options.Find looks addresses up.
package adhere
