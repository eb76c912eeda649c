package registry

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"anagrafe/protocol"
)

// Import is a file of sites and cameras of an organisation. It is recorded like an
// agent's declaration, by a virtual agent of the organisation, with source declared:
// history, search and withdrawal treat it alike. The first declaration of an agent
// enrolled for the site replaces the import, and no file changes the site after that.
//
// Importing a file again records nothing new: sites and cameras are identified by the
// owner's keys, and unchanged ones keep their time.
type Import struct {
	OrganisationID string
	Sites          []ImportedSite
	By             string        // who says so, for the approval
	Role           protocol.Role // of By; "": the owner
	At             time.Time
	RemoveMissing  bool // withdraw what was imported before and the file does not name
	DryRun         bool // tell what would happen, and do nothing
}

// ImportedSite is a site as the file says it.
type ImportedSite struct {
	Key      string // the owner's own, unique in the file
	Site     protocol.Site
	Contacts []protocol.Contact // none: the organisation's
	Cameras  []ImportedCamera
}

// ImportedCamera is a camera, without ids and facts: those are given here.
type ImportedCamera struct {
	Key      string // the owner's own, unique within the site
	Recorder protocol.Recorder
	Camera   protocol.Camera
}

// ImportState is the outcome of importing a site.
type ImportState string

const (
	ImportNew       ImportState = "new"
	ImportChanged   ImportState = "changed"
	ImportUnchanged ImportState = "unchanged"
	ImportTakenOver ImportState = "taken-over" // an agent declares it, or it has another owner: no file changes it
	ImportWithdrawn ImportState = "withdrawn"  // its owner took it out since: no file brings it back
	ImportRefused   ImportState = "refused"    // see Err
	ImportMissing   ImportState = "missing"    // was imported before, and the file does not name it
	ImportRemoved   ImportState = "removed"    // the same, and it was withdrawn
)

// ImportResult is the outcome of importing one site.
type ImportResult struct {
	Key     string
	SiteID  string // "" of one that is not recorded
	State   ImportState
	Missing []string // keys of its cameras that the file does not name: kept, or with RemoveMissing gone
	Err     error    // of ImportRefused: protocol.FieldErrors or protocol.ErrTooBig

	OwnerCode protocol.Code // of a site that was recorded now: with it its owner suspends or withdraws it
}

// importsAtOnce bounds the sites of one transaction, and so how long agents wait.
const importsAtOnce = 32

// Import records a file's sites, in its order, and then those that it does not
// name. It is done in several transactions; one that fails leaves what was done
// before it, and the same file again completes it. ErrUnknownOrganisation.
func (r *Registry) Import(ctx context.Context, im Import) ([]ImportResult, error) {
	im.At = exact(im.At)
	var results []ImportResult
	steps := im.steps()
	err := r.importing(ctx, im, func(ctx context.Context, i *importing) error {
		missing, err := i.missing(ctx)
		steps = append(steps, missing...)
		return err
	})
	for len(steps) > 0 && err == nil {
		n := min(len(steps), importsAtOnce)
		var done []ImportResult
		err = r.importing(ctx, im, func(ctx context.Context, i *importing) error {
			done = nil
			for _, step := range steps[:n] {
				result, err := step(ctx, i)
				if err != nil {
					return err
				}
				done = append(done, result)
			}
			return nil
		})
		if err == nil {
			results, steps = append(results, done...), steps[n:]
		}
	}
	if err != nil {
		return results, fmt.Errorf("import for organisation %s: %w", im.OrganisationID, err)
	}
	return results, nil
}

// importing is one transaction of an import.
type importing struct {
	Import
	r            *Registry
	tx           *tx
	organisation protocol.Organisation
	agentID      string // of the organisation's imports; "" while it has none
}

// importStep does what is to be done about one site.
type importStep func(ctx context.Context, i *importing) (ImportResult, error)

func (im Import) steps() []importStep {
	var steps []importStep
	for _, s := range im.Sites {
		steps = append(steps, func(ctx context.Context, i *importing) (ImportResult, error) { return i.site(ctx, s) })
	}
	return steps
}

// importing runs f over the record: of a dry run by a reader, which can change
// nothing.
func (r *Registry) importing(ctx context.Context, im Import, f func(ctx context.Context, i *importing) error) error {
	run := func(ctx context.Context, tx *tx) error {
		i := &importing{Import: im, r: r, tx: tx}
		var err error
		if i.organisation, err = r.organisation(ctx, tx, im.OrganisationID); err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, "SELECT id FROM agents WHERE organisation_id = ?", im.OrganisationID).Scan(&i.agentID)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return f(ctx, i)
	}
	if im.DryRun {
		return r.view(ctx, func(tx *tx) error { return run(ctx, tx) })
	}
	return r.update(ctx, run)
}

// site imports one site.
func (i *importing) site(ctx context.Context, s ImportedSite) (ImportResult, error) {
	e, err := i.find(ctx, s.Key)
	if err != nil {
		return ImportResult{}, err
	}
	result := ImportResult{Key: s.Key, State: e.state}
	if e.state != ImportNew {
		result.SiteID = e.siteID
	}
	if e.state == ImportTakenOver || e.state == ImportWithdrawn {
		return result, nil
	}
	d, keys, missing, err := i.declaration(ctx, e, s)
	if err != nil {
		return result, err
	}
	result.Missing = missing
	m := e.next(i.At, d)
	raw, err := protocol.Encode(m)
	if err != nil {
		result.State, result.Err = ImportRefused, err
		return result, nil
	}
	if e.state == ImportChanged {
		same, err := sameDeclaration(raw, e.part)
		if err != nil {
			return result, err
		}
		if same {
			result.State = ImportUnchanged
			return result, nil
		}
	}
	if i.DryRun {
		return result, nil
	}
	result.SiteID = m.SiteID
	if err := i.begin(ctx, e, s); err != nil {
		return result, err
	}
	if err := i.keep(ctx, m.SiteID, keys, d); err != nil {
		return result, err
	}
	result.OwnerCode, err = i.record(ctx, m, raw)
	return result, err
}

// record is Record within this transaction; it gives the code of the site's owner,
// as an agent's receipt does.
func (i *importing) record(ctx context.Context, m protocol.Message, raw []byte) (protocol.Code, error) {
	w := write{r: i.r, tx: i.tx, agentID: i.agentID, m: m, raw: raw, at: i.At, sum: sha256.Sum256(raw), origin: originOf(m.Body)}
	w.origin.Author = authorImport
	receipt, err := w.record(ctx)
	return receipt.OwnerCode, err
}

// begin makes the site of a key that is new, and the agent of the
// organisation's first import.
func (i *importing) begin(ctx context.Context, e *entry, s ImportedSite) error {
	if e.state != ImportNew {
		return nil
	}
	if i.agentID == "" {
		i.agentID = uuid.NewString()
		nobody := sha256.Sum256([]byte("anagrafe import\x00" + i.agentID)) // not the hash of a key
		if _, err := i.tx.ExecContext(ctx, "INSERT INTO agents (id, key_hash, version, enrolled_at, organisation_id) VALUES (?, ?, 'import', ?, ?)",
			i.agentID, nobody[:], micros(i.At), i.OrganisationID); err != nil {
			return err
		}
	}
	if _, err := i.tx.ExecContext(ctx, "INSERT INTO sites (id, trust, category, invited_at, epoch, organisation_id) VALUES (?, ?, '', ?, 1, ?)",
		e.siteID, string(i.organisation.Trust), micros(i.At), i.OrganisationID); err != nil {
		return err
	}
	if err := i.r.nameSite(ctx, i.tx, e.siteID, s.Site); err != nil {
		return err
	}
	if _, err := i.tx.ExecContext(ctx, "INSERT INTO grants (site_id, epoch, agent_id, from_at) VALUES (?, 1, ?, ?)", e.siteID, i.agentID, micros(i.At)); err != nil {
		return err
	}
	return i.putKey(ctx, kindSite, e.siteID, importKey{e.siteID, s.Key})
}

// ImportKeys returns what an owner calls a site and its cameras, by camera id; "" and
// none for what was not imported.
func (r *Registry) ImportKeys(ctx context.Context, siteID string) (key string, cameras map[string]string, err error) {
	err = r.view(ctx, func(tx *tx) error {
		err := each(ctx, tx, func(scan func(...any) error) error {
			var dataKey, body []byte
			err := scan(&dataKey, &body)
			if err == nil {
				key, err = r.openSiteKey(siteID, dataKey, body)
			}
			return err
		}, "SELECT d.sealed, k.body FROM imports k JOIN data_keys d ON d.owner = k.site_id WHERE k.site_id = ? AND k.kind = 'site' AND k.body IS NOT NULL", siteID)
		if err != nil {
			return err
		}
		cameras, err = cameraKeys(ctx, r, tx, siteID)
		return err
	})
	if err != nil {
		return "", nil, fmt.Errorf("read the owner's keys of site %s: %w", siteID, err)
	}
	return key, cameras, nil
}
