package interrogate

// standing is how far the owner's credentials have come at one door, in one look.
// From paused on nothing is signed any more, and no news leads back.
type standing int

const (
	untried standing = iota // nothing speaks for them or against them
	waiting                 // the other door comes first
	letIn                   // the device has accepted them
	paused                  // they are left alone for this look, without a verdict
	barred                  // it has refused them, or there are none that may be sent
	spent                   // it has accepted them, and has done with them since
)

// news is what changes a standing.
type news int

const (
	postponed news = iota // the other door is to come first
	due                   // it has had its turn
	accepted
	unwanted // a refusal, or nothing to send
	leftAlone
)

var nextStanding = [...][5]standing{
	untried: {postponed: waiting, due: untried, accepted: letIn, unwanted: barred, leftAlone: paused},
	waiting: {postponed: waiting, due: untried, accepted: letIn, unwanted: barred, leftAlone: paused},
	letIn:   {postponed: letIn, due: letIn, accepted: letIn, unwanted: spent, leftAlone: spent},
	paused:  {postponed: paused, due: paused, accepted: spent, unwanted: paused, leftAlone: paused},
	barred:  {postponed: barred, due: barred, accepted: spent, unwanted: barred, leftAlone: paused},
	spent:   {postponed: spent, due: spent, accepted: spent, unwanted: spent, leftAlone: spent},
}

func (s *standing) after(e news) { *s = nextStanding[*s][e] }

// stopped: nothing is signed any more.
func (s standing) stopped() bool { return s >= paused }

// works: the device has accepted the credentials.
func (s standing) works() bool { return s == letIn || s == spent }
