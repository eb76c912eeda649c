package mail

import (
	"fmt"
	"strings"
)

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
