// Package search answers "which cameras may have filmed this place at that time, and is the
// footage still there?". It hides the index: a grid in memory that follows the register's
// change feed and catches up before each search, so that every acknowledged change is found.
// The consultation pages call it inside trail.Answer, which releases an answer only once the
// question and the result are on the audit trail.
//
// Search gives the order: each hit with its class, time left, sight and footage, from the
// index, in microseconds. Show reads names, addresses, recorders, clocks, sources and ages of
// a page of hits from the register, and evaluates their sites anew, so that a camera and its
// place in the order show one state of the record.
//
// Where to look:
//
//	a place and a time, to hits in order  search.go; the question, query.go
//	a page of hits, in full               show.go
//	circle, polygon, route                area.go, polygon.go, route.go
//	is the footage there, how long still  countdown.go
//	why a yes is only a perhaps           doubts.go
//	buildings                             among.go; what they hide, package buildings
//	the index: cells, records, changes    grid.go, placement.go, pack.go, index.go
//
// # Rules
//
// A time before a camera's first declaration is answered with the camera as first declared,
// and says so. Whether it recorded then is unknown, unless a measured oldest footage reaches
// back. A window is answered by its best moment and ranked by the part that is lost first.
// A camera is within the radius by its declared position; the position's accuracy counts
// only for what it sees.
//
// # Areas
//
// All areas rest on protocol.See of single points, as of Query.From. Of a polygon and of a
// route no camera is listed whose nearest seen point is over farthestM away.
//
//   - Circle: lists the cameras within the radius, with the sight of its centre.
//   - Polygon: a point is inside if it lies within an odd number of rings. Lists the cameras
//     inside, and those that may see (Yes or Unknown) a point of it. Sees is Yes if See is
//     Yes for a point inside, or if the camera is inside and no side is nearer than its
//     position's error; otherwise Unknown, never No. The sight is that of the nearest point
//     that it may see; for a camera inside, its own foot, at 0 m and without a pixel density.
//   - Route: lists the cameras that may see a point of the line, and those within the radius
//     of it. Sees is the best of its points, No for those merely near. Let s1 and s2 be the
//     metres along the line to the first and last point that the camera may see (merely near:
//     within the radius). The interval is Query.From + s1/vmax to Query.Until + s2/vmin and,
//     if the arrival A at the end L is known, not before A - (L-s1)/vmin nor after
//     A - (L-s2)/vmax: whoever moved along the route, stops and turns within the average
//     speeds included, was between s1 and s2 at some time in it.
//
// # Certainty
//
// A Yes is lowered to Unknown, and Result.Doubts says why. Sight.Sees: position or view were
// last renewed over two years before the time in question, or it precedes the first
// declaration, or it was dark and the camera's night vision is not known. Footage.Exists:
// schedule or retention were once measured but not for 60 days, or only declared and not
// renewed for two years, or the time is in the future. Class and order stay: "may" is as
// good a reason to call. The pixel density is that at the worst end of the position's error.
// Query.Only filters after all of this; Hidden counts what it left out, by the first reason.
//
// # Buildings
//
// With Query.Buildings a camera whose view is certainly blocked does not see the place: it is
// listed as near, never dropped. A view that may be blocked makes it "may see"; a camera that
// turns does so behind a wall as well. For a route the nearest visible point is tried, then
// points along the visible stretch, every 5 m or more; the interval stays. For a polygon only
// the nearest point is tried, so that a building never means more than "may". WithoutBuildings
// gives that order.
//
// # Memory
//
// The index holds each camera as a fixed-size record without pointers (placement.go), schedules and
// retentions once each (values.go), and thinned measurements (thin.go); a camera with several
// versions takes more (pack.go). It has the measurements of the last 90 days and answers as of
// now. For an older question, or one as of a past moment, the sites around are read from the
// register's history.
package search
