package control

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/lint"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// Bounds of a report. It comes from an agent, or from an image that anybody made.
const (
	maxFindings = 500
	maxSystems  = 16
	maxPath     = 4096 // characters
)

// keptLint is what is kept of a look at an image: a LintSummary, and what of Image
// follows from it.
type keptLint struct {
	LintSummary
	System string     `json:"system,omitempty"`
	OS     profile.OS `json:"os,omitempty"`
	Single bool       `json:"single,omitempty"`
}

// lintReport is what 'ingot lint --json' prints.
type lintReport struct {
	Subject string `json:"subject"`
	lint.Report
}

// readReport reads what 'ingot lint --json' printed. Nothing in it is trusted: what
// is kept is bounded, and has no character that a terminal would act on.
func readReport(document json.RawMessage) (keptLint, error) {
	var r lintReport
	if err := json.Unmarshal(document, &r); err != nil {
		return keptLint{}, fmt.Errorf("read what was found: %w", err)
	}
	if r.Findings == nil {
		return keptLint{}, errors.New("read what was found: it is no report")
	}
	r.clean()
	var kept keptLint
	var err error
	if kept.Report, err = json.Marshal(r); err != nil {
		return keptLint{}, err
	}
	for _, f := range r.Findings {
		kept.count(f)
	}
	kept.System, kept.OS = systemOf(r.Systems)
	return kept, nil
}

func (r *lintReport) clean() {
	r.Subject = clean(r.Subject, maxName)
	r.Systems = append([]lint.Found{}, r.Systems[:min(len(r.Systems), maxSystems)]...)
	for i := range r.Systems {
		s := &r.Systems[i]
		s.Partition, s.Name = cleanPartition(s.Partition), clean(s.Name, maxName)
		if os := profile.OS(s.Kind); os != profile.OSLinux && os != profile.OSWindows {
			s.Kind = ""
		}
	}
	r.Findings = append([]lint.Finding{}, r.Findings[:min(len(r.Findings), maxFindings)]...)
	for i := range r.Findings {
		cleanFinding(&r.Findings[i])
	}
}

func cleanFinding(f *lint.Finding) {
	f.ID, f.Path = lint.ID(clean(string(f.ID), maxName)), clean(f.Path, maxPath)
	if f.Severity != lint.Serious && f.Severity != lint.Warning {
		f.Severity = lint.Info
	}
	f.Partition, f.Bytes = cleanPartition(f.Partition), bounded(f.Bytes, maxBytes)
	for _, text := range []*string{&f.What, &f.Why, &f.Plain, &f.Profiled, &f.Do} {
		*text = clean(*text, maxText)
	}
}

// cleanPartition is the number of a partition; no table has more.
func cleanPartition(n int) int { return int(bounded(int64(n), 1<<16)) }

func (k *keptLint) count(f lint.Finding) {
	switch f.Severity {
	case lint.Serious:
		k.Errors++
	case lint.Warning:
		k.Warnings++
	default:
		k.Notes++
	}
	k.Single = k.Single || f.ID == lint.NotGeneralized
}

// systemOf is what the systems of an image are called, and which kind they all are:
// of an image with several kinds nobody knows which one a profile will be for.
func systemOf(found []lint.Found) (string, profile.OS) {
	var names []string
	os := profile.AnyOS
	for i, s := range found {
		kind := profile.OS(s.Kind)
		if name := cmp.Or(s.Name, map[profile.OS]string{profile.OSLinux: "Linux", profile.OSWindows: "Windows"}[kind]); name != "" {
			names = append(names, name)
		}
		if i == 0 {
			os = kind
		} else if os != kind {
			os = profile.AnyOS
		}
	}
	return clean(strings.Join(names, ", "), maxName), os
}
