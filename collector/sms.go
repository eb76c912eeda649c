package main

import (
	"anagrafe/collector/registry"
	"anagrafe/collector/web/mail"
)

// smsGateway is a gateway that sends short messages to contacts of whom no more is known than
// a mobile phone: table [sms].
type smsGateway struct {
	// URL takes a POST of JSON for each message, over https. Empty: no SMS are sent.
	URL string `toml:"url"`
	// User and TokenFile are the login, as HTTP Basic; without a user the token is sent
	// as Bearer. The file holds the token alone and nobody else may read it (mode 0600).
	User      string `toml:"user"`
	TokenFile string `toml:"token_file"`
	// Sender is whom messages say they come from, as the gateway allows.
	Sender string `toml:"sender"`
	// Body is the JSON that the gateway wants, e.g.
	// '{"recipient": ["{to}"], "message": "{text}", "sender": "{from}"}'; {to} is the number
	// with its prefix (+39…), {id} tells messages apart. Empty: to, from and text.
	Body string `toml:"body"`
	// Refused are the HTTP statuses by which the gateway says that a number does not
	// exist: its contact is then shown as not verified. Empty: none ever is.
	Refused []int `toml:"refused"`
}

// pecMailbox is the mailbox of certified mail from which messages to PEC addresses are sent:
// table [pec]. Without one they go over smtp_server, and many PEC mailboxes refuse what
// is not PEC.
type pecMailbox struct {
	Server       string `toml:"server"` // as smtp_server
	From         string `toml:"from"`   // the mailbox's address
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
}

// smsSender makes the sender of SMS; nil where no gateway is configured.
func (o *collector) smsSender() (*mail.SMS, error) {
	c := o.config.SMS
	if c.URL == "" {
		return nil, nil
	}
	token, err := passwordFile("sms.token_file", c.TokenFile, "the gateway's token")
	if err != nil {
		return nil, err
	}
	return mail.NewSMS(mail.SMSOptions{Registry: o.reg, URL: c.URL, User: c.User, Token: token, From: c.Sender, Body: c.Body, Refused: c.Refused,
		PublicURL: o.config.public(), Link: o.config.ownerLink(), Log: o.log})
}

// pecSender makes the sender of certified mail; nil where none is configured.
func (o *collector) pecSender() (*mail.Sender, error) {
	c := o.config.PEC
	if c.Server == "" {
		return nil, nil
	}
	password, err := passwordFile("pec.password_file", c.PasswordFile, "the PEC mailbox's password")
	if err != nil {
		return nil, err
	}
	options := o.mailOptions()
	options.Server, options.From, options.User, options.Password = c.Server, c.From, c.User, password
	options.Channels = []registry.Channel{registry.ChannelPEC}
	return mail.New(options)
}
