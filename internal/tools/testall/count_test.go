package main

import (
	"strings"
	"testing"
)

func counted(t *testing.T, events string) (*count, string) {
	t.Helper()
	var out strings.Builder
	c := newCount(&out)
	if err := c.read(strings.NewReader(events)); err != nil {
		t.Fatal(err)
	}
	return c, out.String()
}

func TestPassedTestsAreCountedAndSayNothing(t *testing.T) {
	c, out := counted(t, `
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub","Elapsed":0.1}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"pass","Package":"p","Elapsed":0.2}
{"Action":"skip","Package":"empty","Elapsed":0}`[1:])
	if c.passed != 2 || c.failed != 0 {
		t.Errorf("%d passed, %d failed", c.passed, c.failed)
	}
	if strings.Contains(out, "chatter") || !strings.Contains(out, "2 passed") {
		t.Errorf("printed:\n%s", out)
	}
}

func TestAFailedTestShowsWhatItSaid(t *testing.T) {
	c, out := counted(t, `
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:5: why\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p","Elapsed":0.2}`[1:])
	if c.passed != 0 || c.failed != 1 || !strings.Contains(out, "a_test.go:5: why") {
		t.Errorf("%d passed, %d failed:\n%s", c.passed, c.failed, out)
	}
}

func TestASkippedTestHasFailed(t *testing.T) {
	c, out := counted(t, `
{"Action":"output","Package":"p","Test":"TestA","Output":"no database\n"}
{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}`[1:])
	if c.failed != 1 || !strings.Contains(out, "no database") {
		t.Errorf("%d failed:\n%s", c.failed, out)
	}
}

func TestWhatDoesNotBuildOrDiesHasFailed(t *testing.T) {
	c, out := counted(t, `
{"ImportPath":"p [p.test]","Action":"build-output","Output":"a.go:1:1: oh no\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
{"Action":"output","Package":"q","Output":"panic: in init\n"}
{"Action":"fail","Package":"q"}`[1:])
	if c.failed != 2 || !strings.Contains(out, "oh no") || !strings.Contains(out, "panic: in init") {
		t.Errorf("%d failed:\n%s", c.failed, out)
	}
}

func TestOutputThatIsNotJSONIsAnError(t *testing.T) {
	if err := newCount(&strings.Builder{}).read(strings.NewReader("nonsense\n")); err == nil {
		t.Error("it was accepted")
	}
}
