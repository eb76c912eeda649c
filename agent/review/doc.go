// Package review serves the owner's local pages: what was found, the questions that only
// a person can answer, approval, refusal, withdrawal, and every message that was sent.
// It hides HTTP, sessions, wording and layout. The decisions are stored by inventory.
//
// The agent's main serves Pages on loopback (and, where configured, to the network) and
// Control on the command line's socket. Both reach the same handlers: a route answers
// with JSON if the request accepts application/json, otherwise with a page.
//
// Where to look (what one page does stands in the file of its template's name):
//
//	all that the owner can click         routes.go; what a technician may, rights.go
//	the yes, the no and the withdrawal   decide.go; what officers will see, approve_cameras.go
//	the eight steps of the first run     steps.go, home.go
//	who opens the pages, and from where  door.go, session.go, login.go, lan.go
//	a page or JSON; typed forms          answer.go, view.go
//	is the footage of a request there    footage.go; saving it, save.go
//	passwords of recorders               password.go, password_trial.go
//	advice                               advice.go; advice_rules.go, advice_table.go
//
// Access:
//
//   - Loopback is no protection by itself: any page in the owner's browser can send
//     requests to it, and a hostile name can resolve to it. A request must therefore name
//     this listener as its Host, come from the same origin, and carry a session. Only a
//     one-time link opens a session. Links and sessions live in memory.
//   - A link and its session are bound to one browser: listener, address and user agent.
//     A copied cookie or a forwarded link opens nothing. The owner sees the open sessions
//     and can close them. None of this protects against a program that reads the
//     owner's files.
//   - A technician's session has the routes listed in rights.go and no others: it reads
//     recorders and enters their data, sees no picture and no contact, and decides nothing
//     for the owner, who sees what was done with it. Its link is shown once and lasts a day.
//   - The network reaches the pages only if the owner configured it and set a password,
//     over TLS with this machine's own certificate. There is no HSTS, because it would
//     lock out a browser that has to accept the certificate again. Attempts are counted
//     before the comparison, by address and in total; the loopback listener is never
//     blocked, and a valid link is never refused because of invalid ones.
//   - GET changes nothing, except that opening a notice marks it as seen. Opening a link
//     shows a button, and only the button uses the link up, because mail programs fetch
//     links before people do.
//
// Notices:
//
//   - The legal meaning of a notice, and how to verify it through another channel than the
//     number that it brings, stand above the answers. Until it is opened the home page
//     leads to it, with the same wording for every notice. Only "call me", which commits to
//     nothing, can be answered from the list.
//   - A request has one button for each answer. If the recorder holds part of the footage,
//     a note with the times is proposed; it leaves only if the owner sends it.
//
// Pages:
//
//   - No page needs JavaScript; a page reloads itself while a scan runs.
//   - Each button says what leaves by it. No box is ticked beforehand.
//   - Typed input is kept when a form is refused; passwords are never repeated.
//   - The page on saving footage uses only what this computer knows, and omits the network
//     address in print. Its steps for each maker are general knowledge, and say so.
//   - A recorder's own words for a value stand behind the value. They may suggest where the
//     images are kept; the answer is a person's.
//   - Advice is for the owner alone: one pure function of the site's category, the cameras'
//     facts and the owner's answers, over one table of dated texts. Its inputs are private
//     values of inventory, which no message contains.
//   - The sign and the information notice are filled in from the site's data, but never with
//     the police contact, because a sign hangs in the street.
//   - Map tiles and addresses come from the collector through the agent; the browser
//     contacts nobody else. Without them a camera is placed by coordinates.
//   - Position and view are one form, and the map only draws it and writes into it. Width
//     and range are proposed with the first direction; "I do not know" stays an answer. A
//     new camera starts at the last one placed on the site, the first at the invited
//     address. The accuracy follows from the method: zoom level, house, street, or a
//     neighbouring camera.
package review
