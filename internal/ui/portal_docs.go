package ui

import (
	"html/template"

	"postern.dev/postern"
)

// DocsPage is the first page of the docs, or what a search found.
type DocsPage struct {
	StaffFrame
	Dialects []string
	Query    string
	Found    []Found
	All      int // how many there are, of which these are the first
}

// Found is a place in the docs.
type Found struct {
	Where             Text
	Title, Path, Text string
}

func (*DocsPage) Name() string { return "portal-docs" }
func (*DocsPage) Title() Text  { return Say("Docs") }

// ReferencePage has the scopes, the events and the errors.
type ReferencePage struct {
	StaffFrame
	Scopes []postern.Scope
	Events []ReferenceEvent
	Errors []ReferenceError
}

// ReferenceEvent is a type of event.
type ReferenceEvent struct {
	Type, Scope string
	When        Text
}

// ReferenceError is a rule by which a request can fail.
type ReferenceError struct {
	Rule     string
	What, Do Text
}

func (*ReferencePage) Name() string { return "portal-reference" }
func (*ReferencePage) Title() Text  { return Say("Scopes, events, errors") }

// GuideSection is what stands under one heading of a guide.
type GuideSection struct {
	ID, Title string
	HTML      template.HTML
}

// GuidePage is the guide to a dialect.
type GuidePage struct {
	StaffFrame
	Heading  string
	Choosers template.HTML
	Sections []GuideSection
}

func (*GuidePage) Name() string      { return "portal-guide" }
func (p *GuidePage) Title() Text     { return Say("%s", p.Heading) }
func (*GuidePage) Scripts() []string { return []string{"copy.js"} }

// QuickStartPage is the guide for one app, with its own values.
type QuickStartPage struct {
	AppFrame
	Lacks    []Step   // what the app needs before
	Dialects []string // that the app speaks
	Dialect  string   // whose guide is shown
	Choosers template.HTML
	Sections []GuideSection
}

func (*QuickStartPage) Name() string      { return "portal-start" }
func (p *QuickStartPage) Title() Text     { return Say("Quick start for %s", p.App.Name) }
func (*QuickStartPage) Scripts() []string { return []string{"copy.js"} }

// Shortened bounds a text, in characters.
func Shortened(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most])
	}
	return text
}
