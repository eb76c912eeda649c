// Package installer holds the tests of the whole product, which run the built programs, and no
// code. Where to look:
//
//	the journey, from the invitation to the officer's answer  journey_test.go (other ways to go: journey_long_test.go)
//	the owner's first run; leaving                             firstrun_test.go; leaving_test.go
//	agents and a collector under faults, by a virtual clock    simulation_test.go, simulation_world_test.go
//	programs that are killed; faults of a real machine         system_long_test.go; chaos_long_test.go
//	two collectors, PostgreSQL that fails over                 cluster_long_test.go
//	versions beside each other                                 skew_test.go, update_long_test.go
//	packages, units, MSI, Synology                             service_long_test.go, units_test.go, msi_long_test.go, spk_long_test.go
//	the guides' commands                                       manual_long_test.go
//	recorders of other makers                                  independence_long_test.go
//	figures to reach                                           bench_test.go, *_figures_test.go
//	which package may import which; all texts' links           layout_test.go; links_test.go
package installer
