// Package pdf writes documents of text and tables as tagged PDF: read aloud in
// their order, with headings, tables and their header cells as such. It hides
// codeberg.org/go-pdf/fpdf, which draws, and the tag tree, which fpdf does not
// write: it is added by an incremental update (ISO 32000-1, 7.5.6), so that not a
// byte of what fpdf wrote is touched. Package paper says what stands in a document.
//
// Decisions that bind it:
//
//   - The same Document gives the same bytes, on any machine: no clock, no random
//     number, no order of a map. Who kept the input and the hash of the output can
//     make the file anew and compare.
//   - Every line is a marked content of its own, tagged to the element that it is
//     of, so that none crosses a page; what repeats on each page (header, footer,
//     the head of a table that goes on) and all rules are artifacts.
//   - The fonts are Go Regular, Go Bold and Go Mono (golang.org/x/image, BSD): embedded, as
//     far as they are used. They have Latin, Greek and Cyrillic letters; any other
//     stands as a question mark here, and whole on the HTML page, which is the
//     primary form of every document.
//   - No conformity with PDF/UA or PDF/A is claimed in the file: it was not checked
//     by a validator.
package pdf
