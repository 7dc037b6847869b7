package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The tutorial of docs/dialects.md, typed as it stands: every file, every
// command, every line that a command prints.
func TestTheTutorialOfDialectsHolds(t *testing.T) {
	page, err := os.ReadFile("../../docs/dialects.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tutorial, _ := strings.Cut(string(page), "\n## Build a file from nothing\n")
	tutorial, _, _ = strings.Cut(tutorial, "\n## ")
	p := newPlace(t)
	if err := os.Mkdir(filepath.Join(p.dir, "acme"), 0o700); err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```\n").FindAllStringSubmatch(tutorial, -1) {
		switch text := block[2]; block[1] {
		case "yaml":
			p.write("acme.yaml", text)
		case "text":
			p.write("acme/connect.txt", text)
		case "console":
			line, want, _ := strings.Cut(text, "\n")
			_, got, errOut := p.run(strings.Fields(strings.TrimPrefix(line, "$ postern "))...)
			if got+errOut != want {
				t.Errorf("%s\n got %s\nwant %s", line, got+errOut, want)
			}
			commands++
		default:
			t.Errorf("a block of %s that nothing runs", block[1])
		}
	}
	if commands < 6 {
		t.Fatalf("only %d commands found in the tutorial", commands)
	}
	if code, out, errOut := p.run("dialect", "check", "acme.yaml", "--strict"); code != 0 {
		t.Errorf("the tutorial's last file: %s%s", out, errOut)
	}
	if code, out, errOut := p.run("dialect", "replay", "acme.yaml"); code != 0 {
		t.Errorf("the tutorial's transcript: %s%s", out, errOut)
	}
}

// The guide goes to a file as Markdown or as a page, with the addresses that the
// operator names.
func TestTheGuideNamesTheDeploymentsAddresses(t *testing.T) {
	p := newPlace(t)
	p.write("home.yaml", "language: 1\nname: home\nbase: /home\n")
	for _, row := range []struct {
		args string
		want []string
	}{
		{"dialect docs xref --config postern.yaml", []string{"# Connecting by xref\n", "http://localhost/oauth/tokens"}},
		{"dialect docs home.yaml --public-url https://a.test:8443/", []string{"`POST https://a.test:8443/home/oauth/token`"}},
		{"dialect docs xeebo --html", []string{"<!DOCTYPE html>", "--accent:", "<title>Connecting by xeebo · Postern</title>", "https://connect.example.com/xeebo/oauth/token"}},
		{"dialect docs xref --lang de", []string{"# Verbinden im Dialekt xref\n", "## 6. Trennen\n"}},
		{"dialect docs xeebo --html --lang de", []string{"<html lang=\"de\">", "<title>Verbinden im Dialekt xeebo · Postern</title>", "<summary>Inhalt</summary>"}},
	} {
		out := p.ok(strings.Fields(row.args)...)
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s lacks %s:\n%.400s", row.args, want, out)
			}
		}
	}
	for _, bad := range []string{"connect.example.com", "ftp://a.test", "https://a.test/path"} {
		if code, _, errOut := p.run("dialect", "docs", "xref", "--public-url", bad); code != misuse || !strings.Contains(errOut, "is no origin") {
			t.Errorf("--public-url %s: exit %d, %s", bad, code, errOut)
		}
	}
	if code, _, errOut := p.run("dialect", "docs", "xref", "--lang", "fr"); code != misuse || !strings.Contains(errOut, "there are en, de") {
		t.Errorf("--lang fr: exit %d, %s", code, errOut)
	}
}
