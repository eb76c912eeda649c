package interrogate

// The answers about recordings, read like the others.

type recordings struct {
	Items []recording `xml:"RecordingItem"`
}

type recording struct {
	Token         string `xml:"RecordingToken"`
	Configuration struct {
		Source          recordingSource
		RetentionPeriod string `xml:"MaximumRetentionTime"`
	}
}

type recordingSource struct {
	ID          string `xml:"SourceId"`
	Name        string
	Description string
	Address     string
	Token       string `xml:"VideoSourceToken"`
}

type recordingJobs struct {
	Items []recordingJob `xml:"JobItem"`
}

type recordingJob struct {
	Token         string  `xml:"JobToken"`
	Configuration jobConf `xml:"JobConfiguration"`
}

type jobConf struct {
	Recording string    `xml:"RecordingToken"`
	Mode      string    `xml:"Mode"`
	Schedule  *string   `xml:"ScheduleToken,attr"`
	Events    *struct { // what has to happen before it records
		Topics []string `xml:"Filter>Topic"`
	} `xml:"EventFilter"`
	Sources []jobSource `xml:"Source>SourceToken"`
}

type jobSource struct {
	Type  string `xml:"Type,attr"`
	Token string `xml:"Token"`
}

type recordingJobState struct {
	State string `xml:"State>State"`
}

type recordingSummary struct {
	From  string `xml:"Summary>DataFrom"`
	Until string `xml:"Summary>DataUntil"`
	Count string `xml:"Summary>NumberRecordings"`
}

type recordingInformation struct {
	Recording recordingDetails `xml:"RecordingInformation"`
}

type recordingDetails struct {
	Token    string `xml:"RecordingToken"`
	Source   recordingSource
	Earliest string `xml:"EarliestRecording"`
	Latest   string `xml:"LatestRecording"`
	Status   string `xml:"RecordingStatus"`
}

type searchToken struct {
	Token string `xml:"SearchToken"`
}

type searchResults struct {
	State string             `xml:"ResultList>SearchState"`
	Items []recordingDetails `xml:"ResultList>RecordingInformation"`
}

// receivers are where a recorder gets its cameras' images.
type receivers struct {
	Items []struct {
		Token string
		URI   string `xml:"Configuration>MediaUri"`
	} `xml:"Receivers"`
}

type schedules struct {
	Items []scheduleItem `xml:"Schedule"`
}

type scheduleItem struct {
	Token    string `xml:"token,attr"`
	Standard string // iCalendar
	Special  []struct {
		Ranges []struct {
			From  string
			Until string
		} `xml:"TimeRange"`
	} `xml:"SpecialDays"`
}
