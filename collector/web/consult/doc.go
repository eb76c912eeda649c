// Package consult is the officers' face of the collector: a place and a time
// in, an ordered list of cameras out, beside a map of the same cameras. Main
// mounts its Routes on the consultation listener, behind web's login; the
// command line posts to the same routes with an officer's own credential.
//
// It hides how a question typed at three in the morning becomes a query
// (pasted coordinates and map links, the two nights on which clocks change),
// how the answer is worded and drawn, and that nothing is answered before it is
// on the trail. Decisions that bind it:
//
//   - One act, one entry: POST /search is one entry of kind "search", POST
//     /reveal one of kind "reveal" for each site. Both answers leave only
//     through trail.Answer.
//   - Each question has a case. The first one describes it and opens it; from then on
//     the case is in the address of its page, /cases/ID, and a hidden field of each
//     form: so several run side by side in tabs, and a case is changed by opening
//     another's page. Who describes an open case of their force by its kind and
//     reference goes on in it. The reference may follow within 72 hours; then the
//     case is marked as late, and nothing is refused for it. Every page of a case
//     begins with the template "caseband".
//   - What is shown of a search or a reveal is copied into the case before it leaves,
//     like the entry on the trail and after it: an entry without its record says more
//     than was shown. Colleagues read in a case what was asked, found and called, not
//     the contacts: those each officer reveals. The list of cases, a case's history
//     and an officer's own are the force's own papers, no consultation, and no entry.
//   - The reference, the sharing and its end, the closing and the opening again are
//     its own force's; each is an entry and a record of the case before it is done, a
//     sharing and its end an entry for both forces. Closed, or not shared any more, a
//     case gives what was shown of it to nobody new, and nothing more of the register.
//     Officers of a force that it is shared with ask and call in it; what they do is
//     sealed to their own force.
//   - POST /unanswered says that nobody answers at contacts that were revealed: one
//     entry of kind "unanswered", then the owner is asked to check them, in the
//     words of every reminder.
//   - POST /export gives an answer as a file, GeoJSON or CSV: one entry of kind
//     "export", with the file's SHA-256. Contacts are in it where they were revealed.
//   - POST /requests asks the owners of chosen cameras to preserve footage, one
//     notice a site. The entry, of kind "request", is on the trail before anybody is
//     asked, and what was sent is a record of the case. An order (art. 354 c.p.p.)
//     is taken from an ufficiale di polizia giudiziaria or the PM alone; agenti in
//     urgent need (art. 113 disp. att.) are not offered it. GET /requests and
//     GET /requests/ID say how far those have come that the force may see.
//   - POST /preserve shows, before, what each owner will read and how each is told;
//     it says of the register no more than the search, but by how many ways a site
//     can be told, and is no entry. Without a choice it lists the sites that see or
//     may see the place; one known by an e-mail address alone is listed unticked.
//   - Whoever leaves out a site's technical referent has that site told nothing: the
//     agent's page, the mail, and the site's public page may be the referent's to
//     read. Only the phone is left, and the referent's contact is not shown.
//   - The page of a request asks every five seconds whether what it shows has
//     changed. Where it has not, nothing is answered and nothing is an entry; what is
//     new is one look, of kind "request-list", as the page itself was. All state is
//     read from the register, so that any collector answers.
//   - Contacts that are revealed from a request's page are entries of kind "reveal",
//     and are not kept for the page: loaded again, it hides them.
//   - POST /papers makes one acquisition request for each owner (an organisation, else
//     a site) of chosen sites of an answer: numbered, on the trail with the hash of
//     the data that it is made from and of its file (kind "paper"), copied into the
//     case. GET /papers/ID is the request as a page, the primary form; with ".pdf"
//     it is the file, made anew from the data and refused where it is not the one on
//     the trail. Each reading is an entry, "paper-open". The PEC and a site's owner
//     stand in it only where contacts were revealed; what an organisation is called
//     and who represents it is what the act itself reveals, and its entry says so.
//   - POST /patrol gives the sheet of chosen sites in walking order, as a page or a
//     file; it is kept nowhere. POST /cases/CASE/dossier hands the whole case out as
//     one signed file (package dossier), with the clock samples of the recorders whose
//     owners were spoken to. Both are entries of those names.
//   - openapi.json describes what programs send and get; it is served at GET
//     /openapi.json. Words in JSON are in the language of Accept-Language,
//     English for who asks for none. A question that cannot be understood is
//     refused with every wrong field and, of a wall time in the night in
//     which clocks go back, with both moments that it may mean; it is never
//     guessed, and nothing is on the trail.
//   - Why a result stands where it does is worded in one place, why.go, for
//     page, JSON and command line, and never surer than what is known.
//   - A search that was answered is kept in memory for two hours under a random
//     id and shown at /search/ID to the officer who asked, and to nobody else:
//     so a page can be read in the other language, reloaded and come back to
//     without asking again, and no address holds a place, a name or a case.
//     What is shown again is what is already on the trail; a reveal belongs to
//     such a search and can name only sites among its results.
//   - The browser gets the cameras of that search only, inside the page. The
//     list is the answer; the map is its twin and may fail (no script, no
//     WebGL2, no basemap) without taking anything from the list.
//   - Where the basemap has buildings every search is asked among them, and its
//     answer keeps what they hide: /search/ID?through=1 shows the same answer in
//     the order, and with the sectors, that it would have without. That asks
//     nothing anew, and the trail has it already: all those cameras were found,
//     and its entry says of each whether a building hides the place from it.
//     The tick beside the map draws whole sectors and leaves the list alone.
//   - The map's credit comes from the metadata of the PMTiles file, where its
//     maker put it; Options.Attribution replaces it for a file that has none
//     or another duty. It is written by the server under the map, so it stands
//     there whatever the script does.
//   - The one box takes a position, a link of a map, an address or a district by
//     its name. What package gazetteer is sure of is searched at once; anything
//     else is shown to choose from first, also where there is but one (a number
//     that is not known, a typing error): then Enter says yes to it. The choice is
//     part of the posted form, and holds for the words that it was shown for. The
//     answer and the trail name the place that was searched; a district, which has
//     thousands of corners, is on the trail by its name alone. Suggestions are
//     posted too, for no address of ours holds a place, and are kept nowhere.
//   - A person may paste "latitude, longitude", as most maps give it. In Italy
//     the two cannot be mistaken for each other (35 to 48 against 6 to 19), so
//     the page puts them in order; JSON callers are taken at their word: lon,lat.
package consult
