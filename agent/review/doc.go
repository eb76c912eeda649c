// Package review is what the owner sees and does on this computer: what was
// found, the questions that only a person can answer, the yes, the no, the
// taking back, and every message that has left. It hides HTTP, sessions, the
// words and the pages.
//
// The agent's main serves Pages on loopback and Control on the command line's
// socket. Both lead to the same handlers: a route answers with JSON when the
// request accepts application/json, else with a page. What a handler decides is
// inventory's doing; nothing is decided here.
//
// Decisions:
//   - Loopback is no protection by itself: any page open in the owner's browser
//     can send requests to it, and a name of a stranger's can be made to point
//     at it. So a request must name this listener as its Host, must not come
//     from another origin, and must carry a session, which only a one-time link
//     opens. Links and sessions live in memory and end with the program.
//   - A link and the session that it opens belong to one browser: the one that used
//     it, told by the listener, the address and the browser's name for itself. Against
//     who reads this person's files that is little; a copied cookie, a forwarded link
//     and a cookie of the other listener open nothing, and are told what to do. The
//     owner sees where the pages are open and closes what is not his.
//   - A technician's session has the routes of a list (rights.go) and no other: it
//     reads recorders and types what they tell, sees no picture and no contact, and
//     speaks nowhere for the owner, who is told what was done with it. Its link is
//     shown once and works for a day.
//   - The network reaches the pages only where the owner configured it and has set a
//     password, over TLS, with a certificate of this machine's own. No HSTS: it would
//     lock out who has to look at that certificate once more. Tries are counted before
//     they are compared, of each address and of all; this computer's own listener is
//     never closed by them. A right link is never refused for wrong ones.
//   - GET changes nothing, but that opening a notice marks it as seen. Opening a link shows a button, since mail programs
//     and messengers fetch links before people do; the button uses it up.
//   - A notice is read before it is acted on: what the law makes of it, and how to
//     find out that it is genuine, by another way than the number that it brings,
//     stand above the answers. Until it is opened the first page leads to it, in
//     the same words whatever it is. Only "call me" can be said from the list: it
//     commits to nothing.
//   - A request is answered with one press: a button for each answer, the name
//     filled in, the note behind it. Where the recorder has a part of the footage a
//     note with its times is proposed; it leaves only if the owner sends it.
//   - No page needs JavaScript. While a search runs, or a recorder is asked, its page reloads itself.
//   - Beside every button stands what leaves by it. No box is ticked beforehand.
//   - The page on how to save footage knows what this computer knows and touches
//     nothing. It is printed and handed on, so the network address is left out on
//     paper. The steps on a maker's recorder are from general knowledge and say so.
//   - What a recorder says of a value stands in its own words behind the value; the
//     place of images is only suggested by it, the answer is a person's.
//   - Advice is for the owner alone. It comes of the site's category, what the cameras
//     tell and his own answers, by one pure function, over one table of texts with
//     their dates; what it stands on and what he did with it are private values of
//     inventory, which no message is made of. A bank is not asked why it keeps four
//     days. The first page leads to it only when nothing else is to be done.
//   - The sign and the notice propose what the site's data say, never whom the police
//     may call: a sign hangs in the street. What is not known is a line to write on.
//   - The map and the addresses come through this computer's own line to the collector
//     and are kept by it: the browser asks nobody else. Without them a camera is
//     placed by its coordinates.
//   - Where a camera hangs and what it sees is one form; the map beside it only draws
//     the form and writes into it. Nothing is kept that was not drawn or chosen in
//     sight: width and range are proposed with the first direction, and "I do not know"
//     stays an answer. A camera begins beside the one of its site that was placed last,
//     since that point was put right by a person; the first at the invited address.
//     How exact a point is follows from how it came: the zoom at which a hand put it, a
//     house or a street that was found, a camera beside it.
//   - What a person types is kept when a form is refused; passwords are not
//     repeated, on no page and in no answer.
package review
