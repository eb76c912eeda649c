package protocol

import (
	"errors"
	"regexp"
	"strings"
)

// What is wrong with an Italian fiscal code or VAT number.
var (
	errFiscalCodeForm  = errors.New("must have 16 letters and digits (a person's), or 11 digits (a company's, a public body's, a condominium's, a VAT number)")
	errFiscalCodeCheck = errors.New("has a wrong check character: one of the others was mistyped")
)

const personCodeLength = 16

var (
	// A person's: surname, name, year, month, day, municipality, check character.
	// Where two people would get the same code the last digits become letters
	// (omocodia: LMNPQRSTUV for 0-9), so that each place of a digit takes both.
	personCode = regexp.MustCompile(`^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$`)
	numberCode = regexp.MustCompile(`^[0-9]{11}$`)
)

// oddPlaces are the values of 0-9 and of A-Z in the 1st, 3rd, ... place of a
// person's code (D.M. 23 December 1976, n. 13813, art. 7).
var oddPlaces = [26]int{1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23}

// FiscalCode returns a fiscal code or VAT number without spaces, dots and the
// prefix IT, in capitals, and checks its last character. The error says
// what is wrong, as of a field.
func FiscalCode(s string) (string, error) {
	code := strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "").Replace(s))
	if digits, ok := strings.CutPrefix(code, "IT"); ok && numberCode.MatchString(digits) {
		code = digits
	}
	var good bool
	switch {
	case personCode.MatchString(code):
		good = personCheck(code) == code[personCodeLength-1]
	case numberCode.MatchString(code):
		good = numberCheck(code) == code[10] && code != "00000000000"
	default:
		return "", errFiscalCodeForm
	}
	if !good {
		return "", errFiscalCodeCheck
	}
	return code, nil
}

func personCheck(code string) byte {
	sum := 0
	for i := range personCodeLength - 1 {
		value := int(code[i] - 'A')
		if code[i] <= '9' {
			value = int(code[i] - '0')
		}
		if i%2 == 0 { // the 1st, 3rd, ... place
			value = oddPlaces[value]
		}
		sum += value
	}
	return 'A' + byte(sum%26)
}

// numberCheck is Luhn's, as D.P.R. 605/1973 and D.M. 13813/1976 art. 11 use it:
// every second digit is doubled, and its digits added.
func numberCheck(code string) byte {
	sum := 0
	for i := range 10 {
		value := int(code[i] - '0')
		if i%2 == 1 {
			if value *= 2; value > 9 {
				value -= 9
			}
		}
		sum += value
	}
	return '0' + byte((10-sum%10)%10)
}
