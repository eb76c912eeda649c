package main

import (
	"context"
	"time"

	"anagrafe/collector/act"
	"anagrafe/collector/letter"
	"anagrafe/collector/pdf"
	"anagrafe/collector/registry"
	"anagrafe/collector/web"
	"anagrafe/collector/web/adhere"
)

// assistedForm makes the form by which operators type what an owner dictates.
func (o *collector) assistedForm() (*adhere.Adhere, error) {
	letters, err := letter.New(o.config.inviter(), o.log)
	if err != nil {
		return nil, err
	}
	return adhere.New(adhere.Options{Web: o.opsWeb, Registry: o.reg, Record: o.record,
		Assisted: &adhere.Assisted{Roles: o.opsWeb.Roles, Letter: func(s registry.Sending) ([]byte, error) {
			d, err := letters.DictatedDocument(letter.Dictation{Name: s.Name, Address: s.Address, Code: s.Code, At: time.Now(), Until: s.Until})
			if err != nil {
				return nil, err
			}
			return pdf.Write(d)
		}},
		Find: o.shown.Find, Map: o.shown.Describe, Inside: o.area.Contains, Mail: o.config.SMTPServer != "", Log: o.log})
}

// expireAssisted deletes what was dictated and nobody confirmed in time, each once it is
// on the trail, in the name of the operator whose entry it was.
func (o *collector) expireAssisted(ctx context.Context, now time.Time) error {
	n, err := o.reg.ExpireAssisted(ctx, now, func(ctx context.Context, id, operator string) error {
		return o.record(ctx, web.Act{Kind: act.AssistedExpire, User: registry.User{ID: operator}, Count: 1, Details: map[string]string{"submission": id, "by": "time"}})
	})
	if n > 0 {
		o.log.InfoContext(ctx, "assisted entries that nobody confirmed were deleted", "entries", n)
	}
	return err
}
