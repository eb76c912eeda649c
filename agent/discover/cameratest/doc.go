// Package cameratest provides cameras and recorders that answer on loopback, as
// net/http/httptest provides web servers: for the tests of discover and
// interrogate, for the demo, and for tests between network namespaces.
//
// It hides how a device is imitated: matching requests to recorded answers, keeping a
// clock, checking a password, answering a WS-Discovery probe. The content comes from
// data:
//
//   - LoadRecorded reads a camera recorded operation by operation: one file an answer
//     with its HTTP status, and an INDEX.tsv of the requests;
//   - LoadHawkeye reads a camera of the hawkeye64 collection, without requests or
//     statuses;
//   - LoadDir reads a hand-written device of testdata/cameras, in the format described
//     there: ONVIF, the maker's own web interface (web.json: ISAPI, CGI, JSON after a
//     login), or both on one port;
//   - Recorder generates a recorder with any number of channels.
//
// Each returns a Conversation. Start makes it a live Device; Town starts a ready-made
// small network, and Simulated a fleet of light devices for benchmarks. Quirks has a
// switch for each misbehaviour that a real device was seen to have.
//
// The same request always gets the same answer, with three exceptions that keep a
// replay true: the clock (GetSystemDateAndTime, the Date header and the times in web
// answers follow now plus Options.ClockOffset), dates given relative to now, and
// refusals. A web interface also remembers its open sessions (Device.Sessions), and a
// test may change the content before a run (Conversation.Replacing) or during one
// (Device.Change).
//
// SADP (Hikvision) and DHDiscover (Dahua) are not imitated: no recorded answer of a
// certain shape is at hand. The package does not import testing, because the demo uses
// it too.
package cameratest
