package consult

import (
	"time"

	"anagrafe/collector/registry"
	"anagrafe/protocol"
)

// jsonRequest answers POST /requests.
type jsonRequest struct {
	Request string            `json:"request_id"`
	Case    string            `json:"case_id"`
	At      time.Time         `json:"at"`
	Notices []jsonAskedNotice `json:"notices"` // one a site
	Trail   jsonProof         `json:"trail"`
}

type jsonAskedNotice struct {
	Notice    string   `json:"notice_id"`
	Site      string   `json:"site_id"`
	Cameras   []string `json:"camera_ids"`
	CheckCode string   `json:"check_code"` // the owner reads it too, to be sure who asks
	ByPhone   bool     `json:"by_phone"`   // nobody was told: call
}

// jsonRequests answers GET /requests: the newest first.
type jsonRequests struct {
	Notices []jsonNotice `json:"notices"`
	Trail   jsonProof    `json:"trail"`
}

// jsonOneRequest answers GET /requests/{id}.
type jsonOneRequest struct {
	Request string               `json:"request_id"`
	Case    string               `json:"case_id"`
	Force   string               `json:"force"`
	Kind    protocol.RequestKind `json:"kind"`
	At      time.Time            `json:"at"`
	Notices []jsonNotice         `json:"notices"` // one a site, in the order in which they were asked
	Trail   jsonProof            `json:"trail"`
}

type jsonNotice struct {
	Notice   string               `json:"notice_id"`
	Request  string               `json:"request_id"`
	Site     string               `json:"site_id"`
	SiteName string               `json:"site_name"` // "": withdrawn
	At       time.Time            `json:"at"`
	State    registry.NoticeState `json:"state"`
	Expires  time.Time            `json:"expires_at"`
	Closed   time.Time            `json:"closed_at,omitzero"`
	ByPhone  bool                 `json:"by_phone"`           // nobody was told: call
	Mailed   time.Time            `json:"mailed_at,omitzero"` // when the newest mail since was taken by a server
	Asked    *protocol.Preserve   `json:"asked"`              // null: deleted after its term
	Replies  []jsonReply          `json:"replies"`
}

type jsonReply struct {
	State    protocol.ReplyState `json:"state"`
	At       time.Time           `json:"at"`
	Recorded time.Time           `json:"recorded_at"`
	By       string              `json:"by,omitempty"`
	Note     string              `json:"note,omitempty"`
}

func noticeJSON(a registry.Asked) jsonNotice {
	n := jsonNotice{Notice: a.Notice.ID, Request: a.RequestID, Site: a.Notice.SiteID, SiteName: a.SiteName, At: a.Notice.At,
		State: a.State, Expires: a.ExpiresAt, Closed: a.ClosedAt, ByPhone: a.ByPhone, Mailed: a.MailedAt, Replies: make([]jsonReply, len(a.Replies))}
	if p, ok := a.Notice.Body.(protocol.Preserve); ok {
		n.Asked = &p
	}
	for i, r := range a.Replies {
		n.Replies[i] = jsonReply{r.State, r.At, r.RecordedAt, r.By, r.Note}
	}
	return n
}
