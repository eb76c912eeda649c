package registry

import (
	"context"

	"anagrafe/protocol"
)

// Places of what is sealed (see placeOf).

const (
	siteBody         = "sites.body"
	siteInvited      = "sites.invited" // as typed for the invitation: see site_rows.go
	organisationBody = "organisations.body"
)

func delegationBody(id string) string { return placeOf("delegations.body", id) }

func importBody(kind, id string) string { return placeOf("imports.body", kind, id) }

func versionBody(k thing, version int64) string {
	return placeOf("versions.body", k.kind, k.id, version)
}

func contactBody(place int) string { return placeOf("contacts.body", place) }

func mailAddress(id string) string { return placeOf("mail_queue.address", id) }

func mailBody(id string) string { return placeOf("mail_queue.body", id) }

const invitationAddress = "invitations.address"

func partBody(agentID string) string { return placeOf("parts.declaration", agentID) }

// observationBody is of the column schedule or retention.
func observationBody(column, cameraID string, at, recorded int64) string {
	return placeOf("camera_observations."+column, cameraID, at, recorded)
}

func diagnosisBody(id string) string { return placeOf("diagnoses.body", id) }

func actName(number int64) string { return placeOf("acts.name", number) }

const noticeBodyPlace = "notices.body"

func replyBodyPlace(agentID, state string) string {
	return placeOf("notice_replies.body", agentID, state)
}

func ownerReplyPlace(state string) string { return placeOf("owner_replies.body", state) }

// sealedColumn is a column of which a row is told from the owner's others by the
// columns in key, in the order of its place.
type sealedColumn struct {
	table, column string
	owner         string // column with the owner's id
	key           []string
}

// sealedColumns are all that is sealed with the key of a site or an organisation,
// for who changes that key. (Of a notice the key is never changed.)
var sealedColumns = []sealedColumn{
	{"sites", "body", "id", nil},
	{"sites", "invited", "id", nil},
	{"versions", "body", "site_id", []string{"kind", "id", "version"}},
	{"acts", "name", "site_id", []string{"number"}},
	{"contacts", "body", "site_id", []string{"place"}},
	{"mail_queue", "address", "owner", []string{"id"}},
	{"mail_queue", "body", "owner", []string{"id"}},
	{"invitations", "address", "site_id", nil},
	{"parts", "declaration", "site_id", []string{"agent_id"}},
	{"camera_observations", "schedule", "site_id", []string{"camera_id", "at", "recorded_at"}},
	{"camera_observations", "retention", "site_id", []string{"camera_id", "at", "recorded_at"}},
	{"diagnoses", "body", "site_id", []string{"id"}},
	{"imports", "body", "site_id", []string{"kind", "id"}},
	{"organisations", "body", "id", nil},
	{"delegations", "body", "organisation_id", []string{"id"}},
}

// box is the data key of the message's site, nil where there is none.
func (w *write) box(ctx context.Context) (b *box, err error) {
	if w.boxed == nil {
		w.boxed, err = w.r.vault.boxOf(ctx, w.tx, w.m.SiteID)
	}
	return w.boxed, err
}

// seal seals a body with the site's key, which it makes where there is none.
func (w *write) seal(ctx context.Context, place, body string) ([]byte, error) {
	b, err := w.box(ctx)
	if b == nil && err == nil {
		b, err = w.r.vault.newBox(ctx, w.tx, ownerSite, w.m.SiteID)
		w.boxed = b
	}
	if err != nil {
		return nil, err
	}
	return b.seal(place, []byte(body))
}

// finish ends what the write has begun with the site's sealed texts.
func (w *write) finish(ctx context.Context) error {
	if !w.erases {
		return nil
	}
	w.boxed, w.erases = nil, false
	return w.r.vault.rekey(ctx, w.tx, ownerSite, w.m.SiteID)
}

// openBody opens a body of a type of package protocol.
func openBody[T any](b *box, place string, sealed []byte) (v T, err error) {
	plain, err := b.open(place, sealed)
	if err != nil {
		return v, err
	}
	return decode[T](string(plain))
}

// openSite opens a site's name and address as they stand in sites, with its sealed
// data key; a zero Site where there are none.
func (v *vault) openSite(siteID string, key, body []byte) (protocol.Site, error) {
	if body == nil {
		return protocol.Site{}, nil
	}
	b, err := v.box(siteID, key)
	if err != nil {
		return protocol.Site{}, err
	}
	return openBody[protocol.Site](b, siteBody, body)
}
