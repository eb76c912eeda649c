// Package cameratest provides cameras and recorders that answer on loopback, as
// net/http/httptest provides web servers: for the tests of discover and
// interrogate, for the demo, and for tests between network namespaces.
//
// It hides how a device is imitated: which recorded answer fits which request,
// how a clock is kept, how a password is really checked, how a WS-Discovery
// probe is answered. What the devices say comes from data:
//
//   - LoadRecorded reads a camera recorded operation by operation, one file an
//     answer with its HTTP status and an INDEX.tsv of the requests;
//   - LoadHawkeye reads a camera of the hawkeye64 collection, which has neither
//     requests nor statuses;
//   - LoadDir reads a hand-written device of testdata/cameras, whose format is
//     described there: one that speaks ONVIF, or by web.json its maker's own web
//     interface (ISAPI, CGI, JSON after a login), or both on one port;
//   - Recorder writes a recorder of any number of channels.
//
// Each gives a Conversation; Start makes it a live Device with the Options it
// is given; Town starts a ready-made small network of them, and Simulated a
// fleet of light ones for benchmarks. How they misbehave is in Quirks: a switch
// for each thing that some device was seen to do, which its comment names.
//
// A device never answers from memory of an earlier call: whatever is asked, the
// same request gets the same answer, except for the three things that a replay
// must keep true: its clock (GetSystemDateAndTime is rewritten to now plus
// Options.ClockOffset, the Date header and the times in web answers follow it),
// dates that are given relative to now, and refusals. What a search is limited to
// is written into its token. A web interface also remembers which sessions a
// login opened (Device.Sessions), and a test may change what it says, before it
// runs (Conversation.Replacing) or while it does (Device.Change).
//
// The discovery of Hikvision (SADP) and Dahua (DHDiscover) is not imitated: no
// answer of theirs is at hand whose shape is certain.
//
// The package imports neither package testing nor anything of ours: the demo
// uses it too.
package cameratest
