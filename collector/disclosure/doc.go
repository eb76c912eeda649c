// Package disclosure makes counts fit to be published. It hides what is left out, and
// why. Main calls it with the counts of the register and of the trail; it is handed
// nothing else, and knows of no site and no search.
//
// # What is published
//
// A count under K is left out. So that it cannot be got by subtraction from the total,
// others of its margin (the counts by municipio, say) are left out with it: in the order
// in which they stand and whatever their size, until what is left out comes to at least
// K more than all of them but one could be, were they small. So each may be anything from
// 0 to K-1, also for a reader who knows this rule and the exact value of all that is
// shown. A margin of so small a total that this could not always be done is left out as
// a whole. What is shown is rounded to the nearest multiple of Round.
//
// # One publication after the other
//
// Numbers of two days tell more than those of one: of 20 there are now 21. So new ones are
// published only when at least K sites have come or gone; a count that was left out stays
// so until it is twice K; and before anything is published, a reader is played who has all
// publications of the last year and takes what is left out in one and shown in another
// for the same (attack). If that reader could tell a count that was left out to within
// fewer values than Round, the total alone is published; if that tells as much, nothing is.
//
// What this does not hold off: a reader who knows from elsewhere what nearly all sites of
// a margin do.
package disclosure
