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
// Measured facts of the last 90 days are in memory; for an older question the
// sites around the point are read from the register's history.
package search
