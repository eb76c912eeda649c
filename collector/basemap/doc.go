// Package basemap opens the basemap: a PMTiles v3 file of vector tiles
// (https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md), of whatever
// maker. It hides where things lie in the file: header, description, directories
// and tiles. Package consult serves the file to browsers as it is and shows its
// credit; package buildings reads tiles of it; main hands tiles of it to the agents
// through package ingest.
//
// The file is given by whoever runs the collector, and may still be damaged or
// not what its header says: every length in it is held against a limit before
// it is believed, and a lie is an error.
package basemap
