// Command anagrafe-agent runs in the network of a recorder: it finds the cameras,
// lets the owner confirm them, and keeps their entry in the municipal register
// true. This package holds configuration, wiring, service control and the command
// line; the packages below it do the work.
//
// Where to look:
//
//	the commands                          command.go; each is a cmd_*.go
//	all settings                          config.go
//	the parts, and what runs in parallel  agent.go (openAgent), cmd_run.go (runAgent)
//	when devices are read                 cmd_run.go (watch), look.go; hear.go when one says Hello
//	enrolment, delivery, the clock        link.go
//	a notice on the owner's desktop       notify.go
//	which version of the program runs     update.go
//	unattended installation               answers.go, unattended.go
//	commands to the running agent         client.go
package main
