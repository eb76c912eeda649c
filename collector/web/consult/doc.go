// Package consult is the officers' face of the collector: a place and a time in, an ordered list
// of cameras out, beside a map of them. It hides how a question typed at three in the morning
// becomes a query (pasted coordinates and map links, the nights on which clocks change), how the
// answer is worded and drawn, and that nothing is answered before it is on the trail. Main mounts
// its Routes on the consultation listener, behind web's login; the command line posts to the same
// routes with an officer's own credential.
//
// Where to look:
//
//	all routes                             consult.go
//	what is typed, to a query              question.go, place.go, times.go, drawn.go
//	the answer, its pages, map and JSON    search.go, answer.go, results.go, paging.go, mapview.go, json.go
//	why a result stands where it does      why.go
//	contacts; what to say on the phone     reveal.go; phone_script.go, called.go, unanswered.go
//	requests to preserve                   preserve.go, requests.go, request_page.go, request_state.go
//	acquisition requests, on paper         papers.go, paper_*.go
//	cases                                  case.go, cases.go, caseacts.go
//	what is taken away                     export.go, patrol.go, dossier.go
//
// Entries and cases:
//
//   - One act is one entry on the trail: POST /search one of kind "search", POST /reveal one of
//     kind "reveal" for each site. Both answers leave only through trail.Answer.
//   - Each search has a case, whose id is in the page's address, /cases/ID, and in each form, so
//     that several run side by side in tabs. Describing an open case of one's force by kind and
//     reference continues it. The reference may follow within 72 hours; later the case is marked
//     as late, and nothing is refused for it.
//   - What is shown is copied into the case before it leaves, after its entry: an entry without
//     its copy claims more than was shown, never less. Colleagues read in a case what was asked,
//     found and called, but not contacts, which each officer reveals. The list of cases and a
//     case's history are the force's own papers: no entry.
//   - A case's own force sets its reference, shares, closes and reopens it; each is an entry and a
//     record before it is done, and sharing an entry for both forces. A case that is closed or no
//     longer shared yields nothing more of the register. Officers of a force that it is shared
//     with search and call in it; their acts are sealed to their own force.
//   - Each further act is an entry of its own kind: "unanswered" (POST /unanswered: nobody answers
//     at revealed contacts, and the owner is asked to check them), "export" (POST /export: GeoJSON
//     or CSV, with the file's SHA-256; contacts only where revealed), the patrol sheet (POST
//     /patrol) and the signed dossier (POST /cases/CASE/dossier).
//
// Requests and papers:
//
//   - POST /requests asks the owners of chosen cameras to preserve footage, one notice a site. The
//     entry, "request", is on the trail before anybody is asked. An order (art. 354 c.p.p.) is
//     taken from an ufficiale di polizia giudiziaria or the PM alone; agenti in urgent need (art.
//     113 disp. att.) are not offered it. GET /requests shows how far requests have come.
//   - POST /preserve previews what each owner will read, and by which channels; it reveals no more
//     of the register than the search did, except the number of channels, and is no entry. Sites
//     known by an e-mail address alone are listed unticked.
//   - Leaving out a site's technical referent leaves only the telephone: agent page, mail and
//     public page may be the referent's to read. The referent's contact is not shown.
//   - A request's page polls every five seconds. Unchanged, nothing is answered and nothing is an
//     entry; a change is one look, "request-list". All state is read from the register, so that
//     any collector answers. Contacts revealed there are not kept: reloading hides them.
//   - POST /papers makes one acquisition request for each owner of chosen sites: numbered, on the
//     trail with the hashes of its data and file ("paper"), copied into the case. GET /papers/ID
//     is the page, the primary form; ".pdf" is made anew from the data and refused if it differs
//     from the trail. Each reading is an entry, "paper-open". PEC and a site's owner appear only
//     where contacts were revealed; an organisation's name and representative are revealed by the
//     act itself, and its entry says so.
//
// Search and answer:
//
//   - openapi.json, served at GET /openapi.json, describes the JSON. Its words follow
//     Accept-Language, English by default. A question that cannot be understood is refused with
//     every wrong field, and a wall time in the autumn night with both moments that it may mean;
//     nothing is guessed, and nothing is on the trail.
//   - why.go words, in one place for page, JSON and command line, why a result stands where it
//     does, never surer than what is known.
//   - An answer stays in memory for two hours under a random id, at /search/ID, for the officer who
//     asked and nobody else: it can be reloaded or read in the other language without a new
//     search, and no address holds a place, a name or a case. A reveal names only sites among its
//     results.
//   - The list is the answer. The map gets the cameras of that search only, inside the page, and
//     may fail (no script, no WebGL2, no basemap) without taking anything from the list.
//   - Where the basemap has buildings every search considers them. /search/ID?through=1 shows the
//     same answer without them; that is no new entry, because the search's entry says of each
//     camera whether a building hides the place.
//   - The map's credit comes from the PMTiles metadata; Options.Attribution replaces it. The server
//     writes it under the map.
//   - The one box takes a position, a map link, an address or a district. What package gazetteer is
//     sure of is searched at once; all else is offered to choose from, even a single match. The
//     choice is part of the form, and valid for the words that it was shown for. Answer and trail
//     name the place searched (a district by its name alone). Suggestions are posted and kept
//     nowhere.
//   - Pages accept "latitude, longitude" and put it in order, since in Italy the two cannot be
//     confused (35 to 48 against 6 to 19); JSON is taken as it stands: lon,lat.
package consult
