package review

import "net/http"

// routes are the handlers that both sides share.
func (v *Review) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, h http.Handler) { mux.Handle(pattern, v.guard(pattern, h)) }
	for pattern, h := range map[string]handler{
		"GET /{$}":                 v.home,
		"GET /cameras":             v.list,
		"GET /cameras/{id}":        v.camera,
		"POST /cameras/{id}":       v.edit,
		"GET /cameras/{id}/place":  v.placing,
		"POST /cameras/{id}/place": v.setPlace,
		"GET /save":                v.save,
		"GET /scan":                v.searching,
		"POST /scan":               v.scan,
		"GET /approve":             v.summary,
		"POST /approve":            v.approve,
		"POST /refuse":             v.refuse,
		"POST /restore":            v.restore,
		"GET /withdraw":            v.leaving,
		"POST /withdraw":           v.withdraw,
		"GET /contact":             v.contacts,
		"POST /contact":            v.setContact,
		"GET /credentials":         v.askPassword,
		"POST /credentials":        v.setPassword,
		"GET /byhand":              v.askByHand,
		"POST /byhand":             v.setByHand,
		"GET /hours":               v.hours,
		"POST /hours":              v.setHours,
		"GET /takeover":            v.takeovers,
		"POST /takeover":           v.takeOver,
		"GET /enrol":               v.askCode,
		"POST /enrol":              v.enrol,
		"GET /outbox":              v.outbox,
		"GET /outbox/{id}":         v.oneMessage,
		"GET /receipt":             v.receipt,
		"GET /suspend":             v.suspended,
		"POST /suspend":            v.suspend,
		"POST /resume":             v.resume,
		"GET /export":              v.exporting,
		"GET /export/all":          v.export,
		"GET /mine":                v.mine,
		"POST /mine":               v.setMine,
		"GET /notices":             v.notices,
		"GET /notices/{id}":        v.notice,
		"POST /notices/{id}":       v.answerNotice,
		"POST /notices/{id}/check": v.checkNotice,
		"GET /status":              v.status,
		"GET /updates":             v.updates,
		"POST /updates":            v.setUpdates,
		"GET /diagnosis":           v.diagnosis,
		"POST /diagnosis":          v.sendDiagnosis,
		"GET /keep":                v.keep,
		"GET /advice":              v.advice,
		"POST /advice":             v.setAdvice,
		"GET /sign":                v.sign,
		"POST /sign":               v.setPaper,
		"GET /information":         v.information,
	} {
		handle(pattern, v.serve(h))
	}
	handle("GET /map/{z}/{x}/{y}", http.HandlerFunc(v.tile))
	handle("GET /places", v.serve(v.places))
	handle("POST /close", v.serve(v.closeSession))
	handle("GET /helper", v.serve(v.helper))
	handle("POST /helper", v.serve(v.newHelper))
	handle("GET /lan", v.serve(v.lanPage))
	handle("POST /lan", v.serve(v.setLANPassword))
	handle("GET /report", v.serve(v.reportPage))
	handle("GET /bulk", v.serve(v.bulk))
	handle("GET /bulk/sheet", v.serve(v.giveSheet))
	handle("POST /bulk/sheet", v.serveUpTo(maxSheetBody, v.takeSheet))
	handle("POST /bulk/rule", v.serve(v.byRule))
	mux.Handle("/", v.serve(func(*http.Request) (answer, error) {
		return answer{}, problem{status: http.StatusNotFound, key: "error.page", What: "there is no such page"}
	}))
	return mux
}

// Control answers the command line on a socket that only this user can open.
func (v *Review) Control() http.Handler {
	mux := v.routes()
	mux.Handle("POST /link", v.serve(v.giveLink))
	return mux
}
