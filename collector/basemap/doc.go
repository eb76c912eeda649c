// Package basemap reads the basemap: any PMTiles v3 file of vector tiles
// (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md). It hides the file's
// layout: header, metadata, directories and tiles. Package consult serves the file to
// browsers and shows its credit; package buildings reads tiles of it; main hands tiles
// to agents through package ingest.
//
// The file may be damaged or lie about itself: each length in it is checked against a
// limit before use, and a false one is an error.
package basemap
