package protocol

import "math/bits"

// Doubts is a set of reasons why a yes is not one. It is a set of bits so that
// a search that asks thousands of cameras allocates none of them.
type Doubts uint16

// The reasons, in the order in which they are told.
const (
	doubtDirection      Doubts = 1 << iota // nobody knows where it looks
	doubtTurns                             // it may have looked elsewhere
	doubtAngle                             // nobody knows how wide it sees
	doubtRange                             // nobody knows how far it sees
	doubtAccuracy                          // where exactly it hangs decides
	DoubtOldPosition                       // nobody has renewed the position for long
	DoubtOldView                           // nor what it sees
	DoubtOldSchedule                       // an agent read the schedule once, and has long been silent
	DoubtOldRetention                      // as well the retention
	DoubtBeforeDeclared                    // the time asked for is before the first declaration
	DoubtNight                             // it was dark, and nobody knows whether it sees there in the dark
	DoubtHidden                            // a building may stand in between
	DoubtNotYet                            // the time asked for is still to come
)

var doubtNames = [...]string{"direction", "turns", "angle", "range", "accuracy", "old-position", "old-view", "old-schedule",
	"old-retention", "before-declared", "night", "hidden", "not-yet"}

// Names returns the reasons by name, e.g. "direction", in their order.
func (d Doubts) Names() []string {
	var names []string
	for ; d != 0; d &= d - 1 {
		if i := bits.TrailingZeros16(uint16(d)); i < len(doubtNames) {
			names = append(names, doubtNames[i])
		}
	}
	return names
}
