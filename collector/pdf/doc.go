// Package pdf writes documents of text and tables as tagged PDF, for screen readers: reading
// order, headings, tables and header cells. It hides codeberg.org/go-pdf/fpdf, which draws,
// and the tag tree, which fpdf lacks: it is added as an incremental update (ISO 32000-1,
// 7.5.6) that leaves fpdf's bytes alone. Packages paper, letter and guide, and the pages that print,
// say what stands in a document.
//
//   - The same Document gives the same bytes on any machine, without clock, random numbers
//     or map order, so that a file can be made anew and compared by its hash.
//   - Each line is a marked content of its own, so that none crosses a page; repeated parts
//     (header, footer, a continued table's head) and rules are artifacts.
//   - The fonts are Go Regular, Go Bold and Go Mono (golang.org/x/image, BSD), embedded as
//     subsets: Latin, Greek and Cyrillic. Any other letter is a question mark here, and whole
//     on the HTML page, the primary form of every document.
//   - The file claims no conformity with PDF/UA or PDF/A, because no validator checked it.
package pdf
