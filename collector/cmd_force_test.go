package main

// officer makes a force, its administrator and, as that one, an officer, whose
// credential is written to file.
func (s *serving) officer(file string) {
	s.t.Helper()
	s.command("force", "add", "Questura", "-data", s.dir, "-act", "prot. 12 del 3/11/2026", "-identity", file+".identity")
	s.command("user", "add", "Dirigente", "-data", s.dir, "-role", "force-admin", "-force", "Questura", "-credential", file+".admin")
	s.command("user", "add", "Isp. Rossi", "-as", file+".admin", "-role", "officer", "-qualification", "ufficiale di PG", "-credential", file)
}
