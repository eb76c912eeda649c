// Package pages is what the pages of both sides share, so that the owner's
// page on the agent and the officers' page on the collector look, speak and
// count time alike. agent/review and the packages of collector/web call it.
//
// It hides five things:
//
//   - how the front end is built and served: bundle.go (build tag "bundle", run
//     by make) installs nothing itself; it bundles what npm put into
//     node_modules, and every *.ts and *.css that lies beside a page, into
//     dist, under names with a content hash, each also compressed. dist is
//     embedded; before make has run it holds a placeholder only, and every page
//     then says so.
//   - the layout: header, language links, alerts, footer, and the headers that
//     keep a browser from running or loading anything that is not ours.
//   - words: flat JSON files of keys, Italian and English, checked against each
//     other and against the templates when a Set is loaded, so that a missing
//     word stops the program at its start and not a reader at three in the morning.
//   - dates, durations, directions and numbers in words. The register speaks of
//     one country: times are shown in Europe/Rome, and on the night in October
//     on which an hour happens twice the offset is written beside them.
//   - the field-of-view editor: where a camera hangs and what it sees, on a map beside
//     a form that is whole without it (FOV).
//
// Tests show pages to a real browser with the package pagestest, below.
//
// A page's template, css and ts lie beside the Go file that serves it. File
// names of ts and css are unique over the whole program, since they become
// asset names; a ts file whose name begins with an underscore is a part that
// others import, not a page's script.
package pages
