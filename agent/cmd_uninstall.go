package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/kardianos/service"
	"golang.org/x/term"

	"anagrafe/protocol/pages"
)

// leaveWait is how long the removal waits for a withdrawal to be recorded.
const leaveWait = time.Minute

// kept is an entry that is in the register, and how it is taken out from any browser.
type kept struct {
	Name    string `json:"site_name"`
	Link    string `json:"link"`
	Code    string `json:"code"`
	Leaving bool   `json:"leaving"` // its withdrawal has not reached the Comune
}

// cmdUninstall removes the service: before, the entry is kept or withdrawn, as whoever
// sits there says; after, with -purge, all that this computer holds is deleted.
func cmdUninstall(ctx context.Context, c *call, args []string) error {
	f := c.flags()
	keep := f.Bool("keep", false, "keep the entry in the register, without asking")
	withdraw := f.Bool("withdraw", false, "withdraw the entry first, without asking")
	purge := f.Bool("purge", false, "delete all that this computer holds: passwords, messages, settings")
	lang := language(f)
	if _, err := c.parse(f, args, 0); err != nil {
		return err
	}
	if *keep && *withdraw {
		return misuse("-keep or -withdraw, one of them")
	}
	say := uninstallText(*lang)
	entries, err := c.entries(ctx)
	if err != nil && (*withdraw || *purge) {
		return fmt.Errorf("which entries are in the register could not be found out, so nothing was done: %w", err)
	}
	if err != nil {
		fmt.Fprintf(c.err, "which entries stay in the register could not be found out: %v\n", err)
	}
	if len(entries) > 0 && !*keep && !*withdraw {
		*withdraw = c.asksToWithdraw(say)
	}
	var unsent error
	if *withdraw && len(entries) > 0 {
		c.delivers = true
		still, err := c.withdrawn(ctx, leaveWait)
		if err == nil {
			fmt.Fprintln(c.out, say.gone)
		} else {
			unsent = partly{err} // the rest is done
		}
		if err == nil || len(still) > 0 {
			entries = still
		}
	}
	c.tell(entries, say)
	if err := c.removeService(*purge); err != nil && !(*purge && errors.Is(err, service.ErrNotInstalled)) {
		return errors.Join(unsent, err)
	}
	if !*purge {
		return unsent
	}
	if unsent != nil {
		return partly{fmt.Errorf("%w: nothing is deleted meanwhile; run it again once the Comune is reached, or use the link and then -keep -purge", unsent)}
	}
	if err := c.purge(ctx); err != nil {
		return err
	}
	fmt.Fprintln(c.out, say.purged)
	return nil
}

// entries are those that are in the register without this computer too: none where the
// agent never ran.
func (c *call) entries(ctx context.Context) (all []kept, err error) {
	if _, err := os.Stat(filepath.Join(c.dir, "inventory.db")); err != nil {
		return nil, nil
	}
	err = c.withAgent(ctx, func(cl client) (err error) { all, err = keptBy(ctx, cl); return err })
	return all, err
}

func keptBy(ctx context.Context, cl client) ([]kept, error) {
	var answer struct {
		Sites []kept `json:"sites"`
	}
	err := cl.do(ctx, http.MethodGet, "/keep", nil, &answer)
	return answer.Sites, err
}

// asksToWithdraw asks whoever sits at the terminal; where nobody does, or the answer
// says neither, the entry is kept: that can be mended.
func (c *call) asksToWithdraw(say uninstallWords) bool {
	in, ok := c.in.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return false
	}
	fmt.Fprint(c.err, say.ask)
	answer, err := bufio.NewReader(io.LimitReader(in, 64)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return strings.TrimSpace(strings.ToUpper(answer)) == say.yes
}

// withdrawn withdraws all entries and waits for a while until the register has recorded
// it. It gives those that are still there.
func (c *call) withdrawn(ctx context.Context, wait time.Duration) (still []kept, err error) {
	err = c.withAgent(ctx, func(cl client) error {
		if err := cl.do(ctx, http.MethodPost, "/withdraw", decision{All: true, By: c.person()}, nil); err != nil {
			return err
		}
		until := time.NewTimer(wait)
		defer until.Stop()
		again := time.NewTicker(200 * time.Millisecond)
		defer again.Stop()
		for {
			var err error
			if still, err = keptBy(ctx, cl); err != nil || len(still) == 0 {
				return err
			}
			select {
			case <-again.C:
			case <-until.C:
				return errors.New("the withdrawal has not reached the Comune")
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	})
	return still, err
}

// tell says which entries stay, and how they are taken out without this computer.
func (c *call) tell(entries []kept, say uninstallWords) {
	for _, s := range entries {
		what := say.stays
		if s.Leaving {
			what = say.notYet
		}
		fmt.Fprintf(c.out, what+"\n  %s\n  %s %s\n", s.Name, s.Link, say.code, s.Code)
	}
}

// removeService stops the service and removes what install made. A package's is for the
// package manager to remove; it is only stopped, before its data are deleted.
func (c *call) removeService(purge bool) error {
	if packaged() && !purge {
		return nil
	}
	svc, err := newService(&program{log: c.log}, c.dir, c.config)
	if err != nil {
		return err
	}
	if _, err := svc.Status(); errors.Is(err, service.ErrNotInstalled) {
		return errNotInstalled
	}
	stopped := svc.Stop()
	if packaged() {
		return stopped
	}
	return c.control(svc) // also of one that did not run
}

// purge deletes all that this computer holds: a directory that is an agent's, which no
// process uses any more, and the service's user.
func (c *call) purge(ctx context.Context) error {
	if _, err := os.Stat(c.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.dir, "lock")); err != nil {
		return fmt.Errorf("%s is not deleted: no agent has worked there (%w)", c.dir, err)
	}
	lock := flock.New(filepath.Join(c.dir, "lock"))
	held, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("locking %s: %w", c.dir, err)
	}
	if !held {
		return fmt.Errorf("%s is not deleted: %w: stop it first, and run this again with -purge", c.dir, errDaemon)
	}
	// Windows deletes no file that is open.
	if err := errors.Join(lock.Unlock(), os.RemoveAll(c.dir)); err != nil {
		return fmt.Errorf("deleting %s: %w: delete the rest by hand", c.dir, err)
	}
	if packaged() || c.dir != defaultDir {
		return nil
	}
	return removeUser(ctx)
}

// uninstallWords are what whoever removes the program reads, in the owner's language.
type uninstallWords struct{ ask, yes, stays, notYet, code, gone, purged string }

func uninstallText(l pages.Lang) uninstallWords {
	if l == pages.En {
		return uninstallWords{
			ask:    "The entry is in the Comune's register. Withdraw it before the program goes? W = withdraw, Enter = keep it: ",
			yes:    "W",
			stays:  "%s stays in the register. To suspend or withdraw it later, from any browser:",
			notYet: "%s is not withdrawn yet: use this link, from any browser:",
			code:   "code",
			gone:   "Withdrawn: the register has recorded it.",
			purged: "All that this computer held is deleted.",
		}
	}
	return uninstallWords{
		ask:    "Le telecamere confermate sono nel registro del Comune. Ritirarle prima di rimuovere il programma? R = ritira, Invio = restano: ",
		yes:    "R",
		stays:  "%s resta nel registro. Per sospendere o ritirare le sue telecamere più tardi, da qualsiasi browser:",
		notYet: "%s: non ancora tolta: usa questo link, da qualsiasi browser:",
		code:   "codice",
		gone:   "Ritirata: il registro ne ha preso nota.",
		purged: "Tutto ciò che questo computer conservava è cancellato.",
	}
}
