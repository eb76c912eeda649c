package mail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"anagrafe/collector/registry"
)

// smsBody is what most gateways take, more or less.
const smsBody = `{"to": "{to}", "from": "{from}", "text": "{text}"}`

// maxSMSAnswer is how much of a gateway's answer is read, to be thrown away.
const maxSMSAnswer = 64 << 10

// SMSOptions: all but User, Token, From, Body, Refused and Now are required.
type SMSOptions struct {
	Registry *registry.Registry
	// URL takes a POST of JSON for each message: https, or http on loopback.
	URL string
	// User and Token go into the header Authorization: both as Basic, Token alone as
	// Bearer.
	User, Token string
	From        string // whom the message says it comes from, as the gateway allows
	// Body is the JSON value that is posted; in each of its texts {to} (E.164, +39…),
	// {text}, {from} and {id} are filled in. "": {"to", "from", "text"}.
	Body string
	// Refused are the statuses by which the gateway says that a number does not exist.
	// None: no number is ever held to be wrong, since gateways differ, and a request
	// that is wrong for another reason would mark every contact.
	Refused   []int
	PublicURL string // below which a message's own path leads, without a / at its end
	Link      string // where a message leads
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
}

// SMS sends the register's messages to mobile phones, over a gateway that speaks
// HTTP: one after the other, each once more as mail is while the gateway is not
// there. It says that the gateway took a message, not that a phone has it.
type SMS struct {
	SMSOptions        // without its Token
	token      string // SMSOptions.Token
	body       any
	client     *http.Client
}

// NewSMS checks the options.
func NewSMS(o SMSOptions) (*SMS, error) {
	s := &SMS{SMSOptions: o, token: o.Token, client: &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	s.Token = ""
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, errors.New("the gateway of SMS is not an https:// address without a password in it (http is for this machine alone)")
	}
	if s.Body == "" {
		s.Body = smsBody
	}
	if err := json.Unmarshal([]byte(s.Body), &s.body); err != nil {
		return nil, fmt.Errorf("the body for the gateway of SMS is not JSON: %w", err)
	}
	if !strings.Contains(s.Body, "{to}") || !strings.Contains(s.Body, "{text}") {
		return nil, errors.New("the body for the gateway of SMS lacks {to} or {text}")
	}
	if o.User != "" && o.Token == "" {
		return nil, errors.New("the gateway's user goes with a token: give the file that holds it")
	}
	if o.Registry == nil || o.PublicURL == "" || o.Link == "" || o.Log == nil {
		return nil, errors.New("SMS need the registry, links and a log")
	}
	if _, err := smsText(o.Link); err != nil {
		return nil, err
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	return s, nil
}

func (s *SMS) queue() queue {
	return queue{s.Registry, s.Now, s.Log, "SMS", "the gateway of SMS"}
}

// Run sends what is due until ctx ends.
func (s *SMS) Run(ctx context.Context) error { return s.queue().run(ctx, s.SendDue) }

// SendDue sends all that is due now.
func (s *SMS) SendDue(ctx context.Context) error {
	// Of each step the patience is half a minute: ten are done before the queue gives
	// them to another.
	return s.queue().due(ctx, 10, []registry.Channel{registry.ChannelSMS}, func(ctx context.Context, due []registry.Mail) error {
		return s.queue().sendEach(ctx, due, func(m registry.Mail) outcome { return s.send(ctx, m) })
	})
}

// send hands one message over. Neither its errors nor the log name the number.
func (s *SMS) send(ctx context.Context, m registry.Mail) outcome {
	link := s.Link
	if m.Path != "" {
		link = s.PublicURL + m.Path
	}
	text, err := smsText(link)
	if err != nil {
		return outcome{err: err}
	}
	to := registry.MobilePhone(m.Address)
	if to == "" {
		return outcome{err: errors.New("it is not the number of a mobile phone"), bounced: true}
	}
	body, err := json.Marshal(filled(s.body, strings.NewReplacer("{to}", to, "{text}", text, "{from}", s.From, "{id}", m.ID)))
	if err != nil {
		return outcome{err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	switch {
	case s.User != "":
		req.SetBasicAuth(s.User, s.token)
	case s.token != "":
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // it may bear a token in its address
			err = u.Err
		}
		return outcome{err: err, broken: true}
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxSMSAnswer))
	if resp.StatusCode/100 == 2 {
		return outcome{}
	}
	o := outcome{err: fmt.Errorf("it answered %d", resp.StatusCode), bounced: slices.Contains(s.Refused, resp.StatusCode)}
	// What is not about this message will be the same for the next one.
	o.broken = !o.bounced && resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusUnprocessableEntity
	return o
}

// filled returns a JSON value with its texts filled in; names of fields stay.
func filled(v any, with *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return with.Replace(v)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = filled(v[i], with)
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(v))
		for k := range v {
			all[k] = filled(v[k], with)
		}
		return all
	}
	return v
}

// smsLength is how many characters of the GSM alphabet go into one message.
const smsLength = 160

// The default alphabet of GSM 03.38 (3GPP TS 23.038, 6.2.1): of what these messages
// may have in them. Each of the extension takes the place of two.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtra = "^{}\\[~]|€"
)

// gsmLength counts a text in characters of that alphabet; false where one is not in
// it: the whole text would have to be sent in another, of which 70 make a message.
func gsmLength(text string) (n int, ok bool) {
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			n++
		case strings.ContainsRune(gsmExtra, r):
			n += 2
		default:
			return 0, false
		}
	}
	return n, true
}

// smsText is what every SMS says, Italian first; the English where both fit into one
// message.
func smsText(link string) (string, error) {
	const it, en = "Registro telecamere del Comune: c'è un messaggio, aprilo qui: ", " There is a message, open it there."
	for _, text := range []string{it + link + en, it + link} {
		if n, ok := gsmLength(text); ok && n <= smsLength {
			return text, nil
		}
	}
	return "", fmt.Errorf("an SMS with a link of %d characters does not fit into one message: public_url is too long, or has characters that phones do not know", len(link))
}
