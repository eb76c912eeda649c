// Package act names what is done with the register: one constant for each kind of entry
// on the audit trail. It stands apart from trail, so that the faces that may not read the
// trail (join, ops, force) name with the same words what they do as those that read it.
package act

import "slices"

// Kind is what was done, as the header of an entry has it in clear. The words of a kind,
// in both languages, are "kind.*" of web/audit.
type Kind string

// Acts of officers, which consultation appends.
const (
	Search      Kind = "search"
	Reveal      Kind = "reveal"
	Request     Kind = "request"
	RequestList Kind = "request-list"
	Unanswered  Kind = "unanswered"
	Called      Kind = "called"
	CaseOpen    Kind = "case-open"
	CaseRefer   Kind = "case-refer"
	CaseShare   Kind = "case-share"
	CaseUnshare Kind = "case-unshare"
	CaseClose   Kind = "case-close"
	CaseReopen  Kind = "case-reopen"
	Paper       Kind = "paper"
	PaperOpen   Kind = "paper-open"
	Patrol      Kind = "patrol"
	Dossier     Kind = "dossier"
	Export      Kind = "export"
)

// Acts of cases and of the trail itself: its auditors, and terms that ended.
const (
	CaseDestroy Kind = "case-destroy"
	TrailExport Kind = "trail-export"
	TrailOpen   Kind = "trail-open"
	TrailRead   Kind = "trail-read"
	TrailCSV    Kind = "trail-csv"
	TrailForget Kind = "trail-forget"
)

// Acts of people's access, and of the forces.
const (
	Login         Kind = "login"
	Logout        Kind = "logout"
	LoginRefused  Kind = "login-refused"
	SessionEnd    Kind = "session-end"
	PasskeyAdd    Kind = "passkey-add"
	PasskeyRemove Kind = "passkey-remove"
	UserAdd       Kind = "user-add"
	UserLink      Kind = "user-link"
	UserQualify   Kind = "user-qualify"
	UserRevoke    Kind = "user-revoke"
	ForceAdd      Kind = "force-add"
	ForceAct      Kind = "force-act"
	ForceRecovery Kind = "force-recovery"
)

// Acts of who declares on the public form, alone or with an operator's help.
const (
	Adhere          Kind = "adhere"
	AdhereChange    Kind = "adhere-change"
	AdhereIdentity  Kind = "adhere-identity"
	AdhereResume    Kind = "adhere-resume"
	AssistedBegin   Kind = "assisted-begin"
	AssistedSend    Kind = "assisted-send"
	AssistedAgain   Kind = "assisted-again"
	AssistedCancel  Kind = "assisted-cancel"
	AssistedOpen    Kind = "assisted-open"
	AssistedConfirm Kind = "assisted-confirm"
	AssistedRefuse  Kind = "assisted-refuse"
	AssistedExpire  Kind = "assisted-expire"
)

// Acts of owners, contacts and technical referents.
const (
	OwnerEnrol            Kind = "owner-enrol"
	OwnerLogin            Kind = "owner-login"
	OwnerReply            Kind = "owner-reply"
	OwnerRenew            Kind = "owner-renew"
	OwnerAlerts           Kind = "owner-alerts"
	OwnerSuspend          Kind = "owner-suspend"
	OwnerResume           Kind = "owner-resume"
	OwnerWithdraw         Kind = "owner-withdraw"
	OwnerRevokeDelegation Kind = "owner-revoke-delegation"
	OwnerChange           Kind = "owner-change"
	ContactAccept         Kind = "contact-accept"
	AlertsEnd             Kind = "alerts-end"
	ReferentReply         Kind = "referent-reply"
	InvitationRefuse      Kind = "invitation-refuse"
)

// Acts of the Comune.
const (
	Invite             Kind = "invite"
	WavePause          Kind = "wave-pause"
	WaveResume         Kind = "wave-resume"
	WaveCancel         Kind = "wave-cancel"
	BatchAdd           Kind = "batch-add"
	BatchEnd           Kind = "batch-end"
	CodeRevoke         Kind = "code-revoke"
	AgentRevoke        Kind = "agent-revoke"
	Letter             Kind = "letter"
	ListExport         Kind = "list-export"
	RemarkClose        Kind = "remark-close"
	Import             Kind = "import"
	OrganisationAdd    Kind = "organisation-add"
	OrganisationChange Kind = "organisation-change"
	OrganisationTakeIn Kind = "organisation-take-in"
	DelegationAdd      Kind = "delegation-add"
	DelegationRevoke   Kind = "delegation-revoke"
	Addresses          Kind = "addresses"
	Districts          Kind = "districts"
)

// Acts of time.
const (
	AgeingReminded    Kind = "ageing-reminded"
	AgeingUnverified  Kind = "ageing-unverified"
	AgeingWithdrawn   Kind = "ageing-withdrawn"
	AgeingResumed     Kind = "ageing-resumed"
	AgeingInvitations Kind = "ageing-invitations"
)

// Acts of who runs the machine.
const (
	Backup           Kind = "backup"
	BackupKeys       Kind = "backup-keys"
	Restore          Kind = "restore"
	Erase            Kind = "erase"
	MasterKeyRotate  Kind = "master-key-rotate"
	AuthorityNext    Kind = "authority-next"
	AuthoritySwitch  Kind = "authority-switch"
	AuthorityRetire  Kind = "authority-retire"
	AuthorityReplace Kind = "authority-replace"
)

// Consultation is what officers do; a case's history has words for it, "done.*" of web/consult.
var Consultation = []Kind{
	Search, Reveal, Request, RequestList, Unanswered, Called, CaseOpen, CaseRefer, CaseShare, CaseUnshare,
	CaseClose, CaseReopen, Paper, PaperOpen, Patrol, Dossier, Export,
}

// Kinds are all there are: trail refuses an entry of another.
var Kinds = slices.Concat(Consultation, []Kind{
	CaseDestroy, TrailExport, TrailOpen, TrailRead, TrailCSV, TrailForget,
	Login, Logout, LoginRefused, SessionEnd, PasskeyAdd, PasskeyRemove, UserAdd, UserLink, UserQualify, UserRevoke,
	ForceAdd, ForceAct, ForceRecovery,
	Adhere, AdhereChange, AdhereIdentity, AdhereResume, AssistedBegin, AssistedSend, AssistedAgain, AssistedCancel,
	AssistedOpen, AssistedConfirm, AssistedRefuse, AssistedExpire,
	OwnerEnrol, OwnerLogin, OwnerReply, OwnerRenew, OwnerAlerts, OwnerSuspend, OwnerResume, OwnerWithdraw,
	OwnerRevokeDelegation, OwnerChange, ContactAccept, AlertsEnd, ReferentReply, InvitationRefuse,
	Invite, WavePause, WaveResume, WaveCancel, BatchAdd, BatchEnd, CodeRevoke, AgentRevoke, Letter, ListExport,
	RemarkClose, Import, OrganisationAdd, OrganisationChange, OrganisationTakeIn, DelegationAdd, DelegationRevoke,
	Addresses, Districts,
	AgeingReminded, AgeingUnverified, AgeingWithdrawn, AgeingResumed, AgeingInvitations,
	Backup, BackupKeys, Restore, Erase, MasterKeyRotate, AuthorityNext, AuthoritySwitch, AuthorityRetire,
	AuthorityReplace,
})
