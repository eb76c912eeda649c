package uplink

import (
	"crypto/sha256"
	"errors"

	"anagrafe/protocol"
	"anagrafe/protocol/wire"
)

// receipt reads a receipt, and believes it only if it is for these bytes and, once
// this agent knows the collector's key of receipts, signed with that.
//
// An agent that was enrolled before collectors had such a key takes receipts as
// it did then, by the hash and the collector's certificate. It cannot take the
// key from a receipt: a note names its key and does not hold it. So the first
// note, like one of another key, has the certificate renewed early: the answer
// brings the key over the line that the certificates protect.
func (l *line) receipt(m outgoing, w *wire.Receipt) (protocol.Receipt, error) {
	sum := sha256.Sum256(m.message)
	if string(w.GetMessageSha256()) != string(sum[:]) || w.GetMessageId() != m.id || w.GetRecordedAt().CheckValid() != nil {
		return protocol.Receipt{}, errors.New("the receipt is for something else")
	}
	r := protocol.Receipt{MessageID: m.id, SiteID: m.siteID, SHA256: sum, RecordedAt: w.GetRecordedAt().AsTime(),
		Duplicate: w.GetDuplicate(), SiteStays: w.GetSiteStays(), Note: string(w.GetNote())}
	if key := l.transport.trust.receiptKey; key != "" {
		signed, err := protocol.OpenReceipt(r.Note, key)
		if err != nil {
			l.renewEarly()
			return protocol.Receipt{}, err
		}
		if signed.MessageID != r.MessageID || signed.SiteID != r.SiteID || signed.SHA256 != sum || !signed.RecordedAt.Equal(r.RecordedAt) {
			return protocol.Receipt{}, errors.New("what the collector signed is the receipt of something else")
		}
	} else if r.Note != "" {
		l.renewEarly()
	}
	if len(r.Note) > protocol.MaxReceipt {
		return protocol.Receipt{}, errors.New("the receipt is too long to be one")
	}
	r.OwnerLink, r.OwnerCode = ownerAccess(w)
	return r, nil
}

// ownerAccess reads where the owner acts without this computer. One that cannot
// be read is left out: the message is recorded all the same.
func ownerAccess(w *wire.Receipt) (string, protocol.Code) {
	link, err := protocol.ParseOwnerLink(w.GetOwnerLink())
	if err != nil {
		return "", protocol.Code{}
	}
	code, err := protocol.ParseCode(w.GetOwnerCode())
	if err != nil {
		return "", protocol.Code{}
	}
	return link, code
}

func (l *line) renewEarly() {
	select {
	case l.otherKey <- struct{}{}:
	default: // asked for already
	}
}
