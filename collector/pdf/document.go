package pdf

import "time"

// Document is what is to be written.
type Document struct {
	Title   string    `json:"title"` // shown by readers in the place of the file's name
	Author  string    `json:"author,omitempty"`
	Lang    string    `json:"lang"`   // BCP 47, e.g. "it-IT"
	Made    time.Time `json:"made"`   // stands in the file as its date
	Footer  []string  `json:"footer"` // lines at the foot of each page, above its number
	Page    string    `json:"page"`   // how a page's number is written, e.g. "pagina %d di %d"; "": it is not
	Most    int       `json:"-"`      // pages; 0: 200
	Scale   float64   `json:"-"`      // how many times as large its letters are, for what is read from afar; 0: once
	Content []Block   `json:"content"`
}

// Kind says what a block is.
type Kind string

const (
	H1    Kind = "h1"
	H2    Kind = "h2"
	H3    Kind = "h3"
	Text  Kind = "p"     // a paragraph
	Small Kind = "small" // a paragraph in small print
	List  Kind = "list"  // Items, each with a bullet
	Steps Kind = "steps" // Items, each with its number
	Code  Kind = "code"  // Items: lines as they are typed, in letters of one width
	Facts Kind = "facts" // Rows of two cells: a name, and what is said of it
	Table Kind = "table" // Head and Rows
	Blank Kind = "blank" // a line to write on by hand: Text names what goes there
	Image Kind = "image" // Picture: Text says what it is, for who cannot see it
	Break Kind = "break" // what follows begins on a new page
)

// Block is one part of a document. Of the fields those are given that its kind names.
type Block struct {
	Kind   Kind       `json:"kind"`
	Text   string     `json:"text,omitempty"` // of a table: what it is of, for who cannot see it
	Items  []string   `json:"items,omitempty"`
	Head   []string   `json:"head,omitempty"`
	Rows   [][]string `json:"rows,omitempty"` // the first cell is the header of its row
	Widths []float64  `json:"-"`              // of the columns of a table, in parts of a whole; nil: all alike
	Lang   string     `json:"lang,omitempty"` // BCP 47, where it is not the document's
	// Picture is a PNG of 8 bits a channel at most, drawn SideMM wide.
	Picture []byte  `json:"picture,omitempty"`
	SideMM  float64 `json:"side_mm,omitempty"`
}
