package audit

import (
	"net/http"
	"slices"

	"anagrafe/collector/web"
	"anagrafe/protocol/pages"
)

// wording is a sentence in both languages.
type wording map[pages.Lang]string

// threat is somebody who would misuse the register, what keeps them from it, and the
// tests that show it. The names of the tests are in the program because the page
// /audit/threats shows them: an auditor who has the sources runs what it names.
// TestThreatsNameTests holds that each of them is there.
type threat struct {
	Who, What, Control wording
	Tests              []string // "folder: TestName"; none: outside what the service can promise
}

func both(it, en string) wording { return wording{pages.It: it, pages.En: en} }

var threats = []threat{
	{both("Un operatore di polizia", "An officer"),
		both("cerca per curiosità, o per un interesse privato.", "searches out of curiosity, or for a private interest."),
		both("Senza motivo e senza fascicolo non si cerca; ogni ricerca e ogni recapito aperto resta registrato prima che la risposta parta, e lo legge il revisore della sua Forza.",
			"Without a reason and a case nothing is searched; each search and each contact that is opened is on record before the answer leaves, and is read by the auditor of the force."),
		[]string{"collector/web/consult: TestNothingIsAnsweredOffTheTrail", "collector/web/consult: TestRevealPutsEachSiteOnTheTrail", "collector/web/consult: TestAskedFields"}},
	{both("Un operatore di polizia", "An officer"),
		both("legge risposte o fascicoli di un'altra Forza.", "reads answers or cases of another force."),
		both("Risposte, richieste e fascicoli appartengono alla Forza che li ha aperti, e li vedono altre solo se condivisi.",
			"Answers, requests and cases belong to the force that opened them, and others see them only if they are shared."),
		[]string{"collector/web/consult: TestAnswersBelongToWhoAsked", "collector/web/consult: TestRequestsOfAnotherForce", "collector/registry: TestCases"}},
	{both("Un operatore che non è ufficiale di PG", "An officer who is not an ufficiale di PG"),
		both("ordina di conservare (art. 354 c.p.p.).", "orders to preserve (art. 354 c.p.p.)."),
		both("La qualifica la dà l'amministratore della Forza da un elenco chiuso, e ogni cambio resta registrato; l'ordine è accettato solo da un ufficiale.",
			"The qualification is given by the force's administrator from a closed list, and each change is on record; the order is taken from an ufficiale alone."),
		[]string{"collector/web/consult: TestRefusedRequest", "collector/web/force: TestWhoIsNotAdded", "collector/web/force: TestActs"}},
	{both("Chi lavora per il Comune", "Somebody who works for the Comune"),
		both("vuole sapere che cosa chiede la polizia: dal database, dai log, dalla posta, dalle copie.", "wants to know what the police ask: from the database, logs, mail, backups."),
		both("Il contenuto di ogni registrazione è sigillato con la chiave pubblica della Forza, la cui parte privata qui non è mai conservata; richieste e fascicoli con una chiave fuori dal database.",
			"The content of each entry is sealed to the public key of the force, whose private half is never stored here; requests and cases with a key outside the database."),
		[]string{"collector: TestWhatTheComuneSeesOfOfficersQuestions", "collector/trail: TestWhatAForceAsksIsSealed", "collector/registry: TestCasesAreSealed", "collector/registry: TestNothingInClear"}},
	{both("Un amministratore del Comune", "An administrator of the Comune"),
		both("si crea un accesso da operatore, o prende il posto di chi amministra una Forza.", "makes an officer's account for themselves, or takes the place of who administers a force."),
		both("Il Comune nomina solo il primo amministratore di una Forza, e non vede né toglie gli altri. Nominarne un altro si può solo dalla macchina, con "+
			"un motivo, in una registrazione sigillata alla Forza.",
			"The Comune names only the first administrator of a force, and neither sees nor removes the others. Naming another one is possible on the host "+
				"alone, with a reason, in an entry sealed to the force."),
		[]string{"collector/web/ops: TestTheComuneAddsItsOwn", "collector/web/ops: TestFirstAdministratorOfAForce", "collector/registry: TestFirstAdministratorOnce"}},
	{both("Un ente non incaricato della sicurezza", "A body not charged with security"),
		both("ottiene di consultare.", "gets to consult."),
		both("Ogni Forza entra con un atto: numero, data e oggetto del protocollo, in chiaro nel registro, dove lo legge il responsabile della protezione dei dati.",
			"Each force comes in by an act: number, date and subject of the protocol, in clear on the trail, where the data protection officer reads it."),
		[]string{"collector/web/ops: TestAddForce", "collector/registry: TestForces"}},
	{both("Chi ha un ruolo", "Who has a role"),
		both("usa una pagina che non è la sua: un amministratore che consulta, un operatore che amministra, un accesso del Comune tra le Forze.",
			"uses a page that is not theirs: an administrator who consults, an officer who administers, an account of the Comune among the forces."),
		both("Ogni indirizzo nomina i ruoli che lo usano, e ogni porta i suoi; una persona non ha ruoli del Comune e di una Forza insieme. Una prova chiama ogni indirizzo come chiunque.",
			"Each address names the roles that use it, and each listener its own; nobody has roles of the Comune and of a force at once. One test calls every address as everybody."),
		[]string{"collector: TestAuthorisationMatrix", "collector: TestTheMatrixFindsHoles", "collector: TestWhatIsOnTheControlSocketAlone",
			"collector/web: TestNobodyMixesRoles", "collector/registry: TestUsers"}},
	{both("Chi amministra una Forza", "Who administers a force"),
		both("aggiunge, cambia o toglie persone di un'altra.", "adds, changes or removes people of another."),
		both("Vede e cambia solo le persone della propria Forza; ogni modifica è registrata prima di essere fatta.",
			"They see and change only people of their own force; each change is on record before it is made."),
		[]string{"collector/web/force: TestOnlyTheirOwn", "collector/web/force: TestNoActWithoutTheTrail"}},
	{both("Chi ha rubato delle credenziali", "Who has stolen credentials"),
		both("entra da fuori dell'ufficio.", "gets in from outside the office."),
		both("La consultazione è chiusa a ogni rete che non sia nominata; una Forza può avere reti e nome propri, fuori dai quali le sue credenziali non valgono e il tentativo resta registrato.",
			"Consultation is closed to every network that is not named; a force may have networks and a name of its own, outside which its credentials are worth nothing and the attempt is on record."),
		[]string{"collector/web: TestWhoIsLetInFromWhere", "collector/web: TestAClosedListenerIsClosedBeforeAnyLogin", "collector: TestAForceWithAHostNameOfItsOwn", "collector: TestNetworksOfTheForces"}},
	{both("Un estraneo", "A stranger"),
		both("prova segreti, o apre al posto d'altri un collegamento mandato per posta.", "tries secrets, or opens somebody else's link in the mail."),
		both("I segreti hanno 256 bit e del registro si conservano solo impronte; dopo dieci accessi falliti si aspetta; un collegamento vale una volta, per un giorno, e aprirlo non lo consuma.",
			"Secrets have 256 bits and only hashes of them are kept; after ten failed logins one waits; a link works once, for a day, and opening it does not use it up."),
		[]string{"collector/web: TestFailedLoginsAreSlowedDown", "collector/web: TestOpeningALinkDoesNotUseItUp", "collector/web: TestTheWrongPlaceIsLimited"}},
	{both("Un sito ostile", "A hostile site"),
		both("fa agire il browser di chi ha fatto l'accesso.", "has the browser of somebody who is signed in act."),
		both("Richieste di altri siti e nomi che non sono i nostri sono rifiutati; nelle pagine gira solo ciò che è nostro.",
			"Requests of other sites and names that are not ours are refused; in the pages runs only what is ours."),
		[]string{"collector/web: TestCrossOriginPostsAreRefused", "collector/web: TestHeadersAndHost"}},
	{both("Chi può scrivere nel database", "Who can write to the database"),
		both("cambia, toglie, aggiunge o riordina registrazioni, o rimette una copia vecchia.", "changes, removes, adds or reorders entries, or puts an old copy back."),
		both("Le registrazioni sono foglie di un albero firmato: con la chiave e un sigillo precedente, tenuti altrove, ogni alterazione si trova e si nomina.",
			"Entries are leaves of a signed tree: with the key and an older checkpoint, kept elsewhere, each alteration is found and named."),
		[]string{"collector: TestAFreshProcessFindsTampering", "collector/web/audit: TestTamperingWithTheRegistersFile",
			"collector/web/audit: TestARegisterThatIsRolledBackIsFound", "collector/trail: TestVerifyFindsEveryAlteredByte"}},
	{both("Chi ha la chiave del registro", "Who has the key of the trail"),
		both("riscrive tutto da capo.", "writes all of it anew."),
		both("Un testimone (Prefettura, Procura) controfirma i sigilli con una chiave sua, e rifiuta un passato diverso.",
			"A witness (Prefettura, Procura) co-signs checkpoints with a key of its own, and refuses another past."),
		[]string{"collector/trail: TestAWitnessRefusesAnotherPast", "collector/trail: TestOnlyWitnessesOfTheConfigurationCosign"}},
	{both("Un disco pieno o un guasto", "A full disk or a fault"),
		both("lascia passare una ricerca senza registrarla.", "lets a search pass without recording it."),
		both("Se il registro non si può scrivere, la risposta è rifiutata.", "If the trail cannot be written, the answer is refused."),
		[]string{"collector/trail: TestAnswerIsRefusedWhenTheTrailCannotBeWritten", "collector/web/consult: TestNoTrailNoRequest", "collector/registry: TestDiskFull"}},
	{both("Chi ha una copia del database", "Who has a copy of the database"),
		both("legge nomi, indirizzi e recapiti, anche di chi si è ritirato.", "reads names, addresses and contacts, also of those who have withdrawn."),
		both("Sono sigillati con chiavi che apre solo una chiave fuori dal database; il ritiro distrugge la chiave del sito.",
			"They are sealed with keys that only a key outside the database opens; a withdrawal destroys the key of the site."),
		[]string{"collector/registry: TestNothingInClear", "collector/registry: TestWithdrawnIsReallyGone", "collector: TestKeyFilesGoNowhereElse"}},
	{both("Chi si impadronisce del collector", "Who takes the collector over"),
		both("manda agli agenti un programma suo, che legga o mandi di più.", "sends agents a program of its own, which reads or sends more."),
		both("Un aggiornamento vale solo firmato da due persone su tre, di cui una fuori dal Comune; il collector non ha nessuna delle loro chiavi. Può "+
			"trattenere un aggiornamento finché il canale scade, e il titolare lo vede e può fermarlo.",
			"An update holds only signed by two of three people, of whom one is outside the Comune; the collector has none of their keys. It can withhold an "+
				"update until the channel expires, which the owner sees; and the owner can hold updates."),
		[]string{"agent/update: TestAttacks", "agent/update: TestNewestRootIsKept", "agent/update: TestTargetNames", "installer/publish: TestPublish", "installer/publish: TestOtherOwners"}},
	{both("Chi comanda la macchina mentre è accesa", "Who commands the running machine"),
		both("legge la memoria, o cambia il programma.", "reads its memory, or changes the program."),
		both("Fuori da ciò che il servizio può promettere: conta chi ha quell'accesso. Ciò che è già registrato non può cambiarlo senza che si veda.",
			"Outside what the service can promise: what counts is who has that access. What is on record already they cannot change unseen."),
		nil},
}

// shownThreat is a threat in the reader's language.
type shownThreat struct {
	Who     string   `json:"who"`
	What    string   `json:"what"`
	Control string   `json:"control"`
	Tests   []string `json:"tests"`
}

// threatsPage shows the table of threats.
func (a *Audit) threatsPage(rw http.ResponseWriter, r *http.Request) {
	lang := web.Language(r)
	var shown []shownThreat
	for _, t := range threats {
		shown = append(shown, shownThreat{t.Who[lang], t.What[lang], t.Control[lang], slices.Clone(t.Tests)})
	}
	if web.WantsJSON(r) {
		web.WriteJSON(rw, http.StatusOK, map[string]any{"threats": shown})
		return
	}
	u, _ := web.User(r.Context())
	a.pages.Render(rw, r, pages.Page{Template: "threats.html", Title: "threats.title", Face: pages.FaceAudit, User: u.Name, Styles: []string{"audit.css"}, Data: shown})
}
