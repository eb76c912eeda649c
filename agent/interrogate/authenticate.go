package interrogate

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/icholy/digest"

	"anagrafe/agent/discover"
)

// authenticator decides whether and how requests to one device carry
// credentials.
//
// Devices lock the account, some the caller's address for half an hour, after a
// few wrong passwords, and one with a wrong password refuses even the time. So:
// nothing is sent before the device has refused an anonymous request; that
// refusal says how (a Digest challenge: HTTP Digest and nothing else; no
// challenge: WS-UsernameToken; Basic alone: nothing is sent, but over TLS or within
// this machine, since it sends the password in clear, see readable); and one refused request with credentials is the
// last, now and, through Memory, until the owner changes the password.
//
// A device has two doors, its maker's own interface and ONVIF, each with an
// authenticator; many keep users apart for ONVIF. What the first one refuses the
// second is not offered; what the first has accepted the second may refuse, once.
//
// Two questions may be under way at a time. But those with credentials go one by
// one until the device has accepted some, or two wrong passwords would be sent
// for one; and with Digest always, since the counter of a nonce must rise in the
// order of arrival, and a device may take a late one for a wrong password. Who
// has taken the turn goes.
type authenticator struct {
	subject
	door     Door
	readable func() bool // whether a password may be sent as it is: nobody can read it on the way

	mu sync.Mutex // guards all below
	redactor
	credential Credential
	scheme     scheme
	challenge  *digest.Challenge
	count      int // uses of the challenge
	standing   standing
	doubts     int  // signed questions that failed otherwise before it was letIn, in this look or before it
	doubted    bool // memory has one of them
	forbidden  int  // refusals in a row after that
	renewed    bool // the challenge, for the question that is put
	elsewhere  bool // the device has accepted the credentials at its other door

	offset    time.Duration // device minus our clock
	offsetSet bool
	needs     Needs
}

// subject is the device that is asked, and what all its doors share.
type subject struct {
	sighting discover.Sighting
	memory   Memory // nil: no credentials are known
	trust    *trust
	turn     chan struct{} // room for the one request with an unproven password; of the host, whatever its port
	log      *slog.Logger
	now      func() time.Time
	callTime time.Duration // for one request
}

type scheme int

const (
	anonymous scheme = iota
	usernameToken
	httpDigest
	httpBasic
)

func newAuthenticator(of subject, door Door, readable func() bool) *authenticator {
	return &authenticator{subject: of, door: door, readable: readable, needs: NeedsNothing}
}

// begins tells whether requests are signed from the start, and whether they must
// take turns.
func (a *authenticator) begins() (signed, turns bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.scheme != anonymous && !a.standing.stopped(), a.scheme == httpDigest || !a.standing.works()
}

// lockedError: it wants credentials, and it is not yet time for them.
type lockedError struct {
	soap       bool // it said so in SOAP
	challenged bool // it said how to log in
}

func (*lockedError) Error() string { return "it wants a user and a password" }

// note takes news in: with postponed nothing is signed until due, since what speaks
// there may turn out not to be ONVIF at all.
func (a *authenticator) note(e news) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.standing.after(e)
}

// takeTurn waits until no other request with an unproven password is under way to
// this host.
func (a *authenticator) takeTurn(ctx context.Context) (release func(), err error) {
	select {
	case a.turn <- struct{}{}:
		return func() { <-a.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *authenticator) lacks() Needs {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.needs
}

// works tells that the device has accepted the credentials.
func (a *authenticator) works() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing.works()
}

func (a *authenticator) ended() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing.stopped()
}

// setOffset says how far the device's clock is from ours; measured is false for
// a guess.
func (a *authenticator) setOffset(d time.Duration, measured bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offset, a.offsetSet = d, measured
}

// clockOffset gives what setOffset said, or was guessed: the other row of questions may
// be settling it meanwhile.
func (a *authenticator) clockOffset() (d time.Duration, measured bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.offset, a.offsetSet
}

// words removes the secrets from what a device says.
func (a *authenticator) words(s string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.redactor.words(s)
}

// refused takes a refusal in, and tells whether to ask again with credentials.
// If not, the error says why. The caller has the turn.
func (a *authenticator) refused(ctx context.Context, r *refusal) (again bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.standing.stopped():
		return false, errStopped
	case a.standing == waiting:
		return false, &lockedError{soap: r.soap, challenged: r.header.Get("WWW-Authenticate") != ""}
	case !r.signed && a.scheme != anonymous:
		return true, nil // found out meanwhile
	case !r.signed:
		return a.begin(ctx, r)
	case a.scheme == httpDigest && !a.renewed && a.renew(r):
		return true, nil
	default:
		return false, a.giveUp(ctx, r)
	}
}

// begin chooses the scheme and finds the credentials. It is called once: what
// was refused without credentials is from then on asked with them, or not at all.
func (a *authenticator) begin(ctx context.Context, r *refusal) (bool, error) {
	if c, err := digest.FindChallenge(r.header); err == nil && digest.CanDigest(c) {
		a.scheme, a.challenge = httpDigest, c
	} else if asked := r.header.Values("WWW-Authenticate"); len(asked) > 0 || a.door == DoorOwn {
		if !basic(asked) || !a.readable() {
			a.standing.after(unwanted)
			a.needs = NeedsCredentials
			return false, errors.New("it accepts only a way to log in that would send the password readable, or that is not known: in its settings, allow Digest, or HTTPS")
		}
		a.scheme = httpBasic
	} else {
		a.scheme = usernameToken
	}
	ok, err := a.recall(ctx, a.scheme == httpBasic)
	if ok && !a.offsetSet {
		a.guessOffset(r.header)
	}
	if !ok {
		a.standing.after(unwanted)
	}
	return ok, err
}

func basic(challenges []string) bool {
	return slices.ContainsFunc(challenges, func(c string) bool {
		scheme, _, _ := strings.Cut(strings.TrimSpace(c), " ")
		return strings.EqualFold(scheme, "Basic")
	})
}

// start gives the credentials for a login by a message of the maker's own, in
// which the password stands as it is. The caller has the turn, and says how it
// went by refusedAgain, accepted, halt or leftAlone.
func (a *authenticator) start(ctx context.Context) (Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.standing.stopped() {
		return Credential{}, errStopped
	}
	if !a.readable() {
		a.standing.after(unwanted)
		a.needs = NeedsCredentials
		return Credential{}, errors.New("its login would send the password readable through the network: switch on HTTPS in its settings")
	}
	ok, err := a.recall(ctx, true)
	if !ok {
		a.standing.after(unwanted)
	}
	return a.credential, err
}

// mayRead tells whether who answers may be given the password as it is: an
// endpoint reference is soon copied, and its copy may speak TLS of its own.
func (a *authenticator) mayRead() bool {
	c := a.credential
	return !c.For.IsValid() || c.For.Unmap().WithZone("") == a.sighting.Address.Addr().Unmap().WithZone("") || a.trust.proven()
}

var errElsewhere = errors.New("the password was typed for another address, and nothing proves that this is the same device: type it again if it was moved")

// guessOffset takes the device's clock from the date of its HTTP answer, for one
// that wants credentials even for the time (0x524a/onvif-go). Our own clock would
// be the other guess, and is right no more often.
func (a *authenticator) guessOffset(h http.Header) {
	if at, err := http.ParseTime(h.Get("Date")); err == nil && !at.Before(earliest) {
		if off := at.Sub(a.now()); off.Abs() > 5*time.Second {
			a.offset = off
		}
	}
}

// recall gets the credentials, unless this device has refused them before; asItIs
// says that the password will be sent as it is.
func (a *authenticator) recall(ctx context.Context, asItIs bool) (bool, error) {
	a.needs = NeedsCredentials
	if a.memory == nil {
		return false, errors.New("it wants a user and a password")
	}
	c, ok, err := a.memory.Credential(ctx, a.sighting)
	if err != nil {
		a.log.Error("credentials not read", "err", err)
		return false, errors.New("it wants a user and a password, and the kept ones could not be read")
	}
	if !ok || c.User == "" {
		return false, errors.New("it wants a user and a password")
	}
	refused, err := a.memory.Refused(ctx, a.sighting, c, a.door)
	if err != nil {
		a.log.Error("refused credentials not read", "err", err)
		return false, errors.New("not tried, since it is not known whether it has refused this password before")
	}
	if refused && a.elsewhere {
		a.needs = NeedsNothing
		return false, errOtherDoor
	}
	if refused {
		a.needs = a.wrong()
		return false, errors.New("it refused this password before: type the right one")
	}
	// What happened before and was no verdict counts in this look too.
	if a.doubted, err = a.memory.Refused(ctx, a.sighting, c, NoVerdict); err != nil {
		a.log.Error("refused credentials not read", "err", err)
		return false, errors.New("not tried, since it is not known whether it has refused this password before")
	}
	if a.doubted {
		a.doubts = max(a.doubts, 1)
	}
	a.credential, a.needs = c, NeedsNothing
	a.add(c.Password, c.User)
	if asItIs && !a.mayRead() { // before its certificate is kept for the device's
		a.needs = NeedsCertificate
		return false, errElsewhere
	}
	if err := a.trust.keep(ctx); err != nil {
		return false, err
	}
	return true, nil
}

var errOtherDoor = errors.New("its ONVIF has users of its own, and this one is not among them")

// renew takes a new challenge in the place of a used-up one: the device says
// so (stale), or it has let this user in before and now gives another nonce.
func (a *authenticator) renew(r *refusal) bool {
	c, err := digest.FindChallenge(r.header)
	if err != nil || !digest.CanDigest(c) || c.Nonce == a.challenge.Nonce {
		return false
	}
	if !c.Stale && !(a.standing.works() && a.count > 1) {
		return false
	}
	a.challenge, a.count, a.renewed = c, 0, true
	return true
}

// sign gives the security header or the Authorization header of one request.
func (a *authenticator) sign(method string, to *url.URL) (security, authorization string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.scheme == httpDigest {
		a.count++
		cred, err := digest.Digest(a.challenge, digest.Options{
			Method: method, URI: to.RequestURI(), Count: a.count,
			Username: a.credential.User, Password: a.credential.Password,
		})
		if err != nil {
			return "", "", errors.New("its challenge cannot be answered")
		}
		a.add(cred.Response)
		return "", cred.String(), nil
	}
	if a.scheme == httpBasic {
		secret := base64.StdEncoding.EncodeToString([]byte(a.credential.User + ":" + a.credential.Password))
		a.add(secret)
		return "", "Basic " + secret, nil
	}
	security, secrets, err := token(a.credential, a.now().Add(a.offset))
	a.add(secrets...)
	return security, "", err
}
