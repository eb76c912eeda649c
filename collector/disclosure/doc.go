// Package disclosure makes counts fit to be published. It hides which counts are suppressed,
// and why. Main calls it with the counts of the register and of the trail; it knows no
// site and no search.
//
// # What is published
//
// A count under K is suppressed. So that it cannot be computed from the total, others of
// its margin (the counts by municipio, say) are suppressed with it, in their listed order
// whatever their size, until the suppressed counts sum to at least K more than all of them
// but one could reach, were they small. Each of them may then be anything from 0 to K-1,
// even for a reader who knows this rule and the exact value of every published count. A
// margin whose total is too small for that is suppressed as a whole. Published counts are
// rounded to the nearest multiple of Round.
//
// # One publication after another
//
// Two publications together can reveal what each alone hides. New counts are therefore
// published only when at least K sites have come or gone; a suppressed count stays
// suppressed until it reaches 2K; and each publication is first tested against a reader
// who has all those of the last year and combines them (attack). If that reader could
// narrow a suppressed count to fewer values than Round, only the total is published; if
// the total reveals as much, nothing is.
//
// A reader who knows nearly all sites of a margin from elsewhere is not defended against.
package disclosure
