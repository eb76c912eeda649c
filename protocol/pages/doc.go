// Package pages is the common base of all pages, so that the owner's pages on the agent and the
// officers' pages on the collector look, speak and count time alike. agent/review and the packages
// of collector/web call it. It hides:
//
//   - the front-end build: bundle.go (build tag "bundle", run by make) bundles npm's node_modules
//     and each *.ts and *.css beside a page into dist, under names with a content hash, and
//     compressed. dist is embedded; before make has run it is a placeholder, and pages say so.
//   - the layout: header, language links, alerts, footer, and the headers that keep a browser from
//     running or loading foreign content.
//   - words: flat JSON files, Italian and English, checked against each other and the templates
//     when a Set is loaded, so that a missing word stops the program at its start.
//   - dates, durations, directions and numbers in words. Times are shown in Europe/Rome, with the
//     offset during the hour that happens twice in October.
//   - the field-of-view editor: where a camera hangs and what it sees, on a map beside a form that
//     is complete without it (FOV).
//
// Package pagestest, below, shows pages to a real browser.
//
// A page's template, css and ts lie beside the Go file that serves it. Names of ts and css files are
// unique in the program, because they become asset names; a ts file whose name begins with an
// underscore is imported by others, not a page's script.
package pages
