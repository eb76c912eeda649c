// Package search answers "which cameras may have filmed this place at that
// time, and is the footage still there?". It hides the index: a grid in memory
// that follows the register's change feed and catches up before each question,
// so that whatever the collector has acknowledged is found. The consultation
// pages ask it, and only after the question is on the audit trail.
//
// # Choices the design leaves open
//
// A time before a camera's first declaration is answered with the camera as it
// was first declared, and says so: it probably hung there already, and a
// schedule that is not known is not a schedule that is off. Whether it
// recorded then is unknown, unless a measured oldest footage reaches back.
//
// A window is answered by its best moment, and ranked by the part of it that
// is lost first. A camera is within the radius by its declared position; the
// position's accuracy counts for what it sees, not for whether it is listed.
//
// # Two steps
//
// Search gives the order: every hit with its class, time left, sight and footage,
// from the index, in microseconds. Show reads what is shown of some of them (names,
// address, recorder, clocks, the facts' sources and ages) from the register, a
// page of hits at a time, and asks their sites anew while it is at it: what is
// shown of a camera and its place in the order are of one state of the record.
//
// # Areas
//
// All of them rest on protocol.See of single places, as of when the camera hung
// at Query.From (on a route too: when they set out). Of a polygon and of a route
// no camera is listed whose nearest seen place is over farthestM away.
//
//   - Circle: lists what hangs within the radius; the sight is See of its middle.
//   - Polygon: a place is inside when it lies within an odd number of the rings.
//     Lists what hangs inside, and what may see (Yes or Unknown) some place of it.
//     Sees is Yes if See is Yes of some place inside, or if the camera hangs inside
//     and no side is nearer than its position's error; else Unknown, never No. The
//     sight is that of the nearest place that it may see; for what hangs inside
//     that is its own foot, 0 m away, where no density is told.
//   - Route: lists what may see some place of the line, and what hangs within the
//     radius of it. Sees is Yes if See is Yes of some place of it, Unknown if of
//     some, No of those merely near. Let s1 and s2 be the metres along the line to
//     the first and to the last place that it may see (merely near: that lie within
//     the radius). It is asked for Query.From + s1/vmax to Query.Until + s2/vmin
//     and, where the arrival A at the end L is known, not before A - (L-s1)/vmin nor
//     after A - (L-s2)/vmax. All along the way from s1 to s2 they may have been at
//     any of these times, stops and turns within the average speeds included.
//
// # Certainty
//
// A Yes is lowered to Unknown, and Result.Doubts says why: Sight.Sees where
// position or view were last renewed over two years before the time asked for,
// where that is before the first declaration, or where it was dark then and
// nobody knows whether the camera sees there at night; Footage.Exists where an
// agent once read schedule or retention and has not looked for 60 days, where
// nobody has renewed for two years what was only declared, or where the time is
// still to come. The class and the order do not change by it: "may" is as good a
// reason to call. Recording stays what the schedule says. Pixels a metre are
// those at the worst end of the position's error.
//
// Query.Only leaves out after all of this; Hidden counts by the first reason.
//
// # Buildings
//
// With Query.Buildings a camera that would see the place is asked what stands in
// between. What is hidden for sure it does not see: it is listed as near, never
// dropped. What may be hidden it may see. One that turns turns behind a wall as
// well. Of a route it is asked for the nearest place that it may see and, if that
// is or may be hidden, for places along what it may see, every 5 m or more: the
// sight is then of the nearest that it sees best; the time that it is asked for
// stays that of all that it would see. Of a polygon it is asked for the nearest
// place alone: others it may see all the same, so that this is never more than
// "may". A hit keeps both sights, and Through gives the order without buildings.
//
// # Memory
//
// The cameras lie in a grid, each as a record of fixed size without pointers
// (hung.go); schedules and configured retentions, of which there are few, stand
// beside them once (values.go). What was measured is thinned to what can still
// change an answer (thin.go). A camera that was changed since it was first
// declared takes more (pack.go).
//
// In memory are the measured facts of the last 90 days, for questions as of now.
// For an older question, and one as of a moment before something that is known
// already, the sites around are read from the register's history.
package search
