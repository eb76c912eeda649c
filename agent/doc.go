// Command anagrafe-agent runs in the network of a recorder: it finds the
// cameras, lets the owner confirm them, and keeps their entry in the municipal
// register true. This package holds configuration, wiring, service control and
// the command line; the path of the data is in the packages below it.
//
// Where a question finds its place:
//
//	what commands there are                command.go; each is a cmd_*.go
//	all settings                           config.go
//	what runs side by side, and its parts  runSite in cmd_run.go, openSite in site.go
//	when the devices are looked at         watch in cmd_run.go, look.go; hear.go when one says Hello
//	enrolment, delivery, the clock         link.go
//	a notice on the owner's desktop        notify.go
//	which version of the program runs      update.go
//	an installation where nobody sits      answers.go, unattended.go
//	a command reaches the running agent    client.go
package main
