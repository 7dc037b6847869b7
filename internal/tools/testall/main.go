// Testall is the whole test run: formatting, vet, every test on both engines,
// the packages where much happens at once again under the race detector. It
// starts the PostgreSQL that the tests share, skips nothing, and ends in a line
// "N passed, M failed"; its exit code is 1 when M is not 0.
//
// `make test` sees to what it needs of the machine and calls it.
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"postern.dev/postern/internal/posterntest/pg"
)

// racy are the packages where much happens at once.
var racy = []string{
	"./internal/store/...",
	"./internal/oauth/...",
	"./internal/identity/...",
	"./internal/gate/...",
	"./internal/webhook/...",
	"./internal/server/...",
	"./internal/posterntest/...",
	"./guard/...",
}

// crowded are the tests in which many act at once, by the words of their names.
// The race detector has nothing to find in the others, and makes them slow.
const crowded = "Many|AtOnce|Fifty|Killed|Nodes|Flood|Parallel|Answered|Memory|Seen|Stream|ACallIsLet|TokenThatStays|" +
	"SlowBody|TooMany|WhatRuns|Guess|OneWins|Overtook|EveryEventArrives|ALaterEvent|I01|I11|I12|I15|I16|I19|I34|I72|AZ30"

// outside are those of them that start other processes, into which the detector
// of this one does not look.
const outside = "ThreeNodes|ReachesEveryNode|AKilledNodeLosesNothing|ManyProcesses|KilledNodesLoseNoEvent"

func main() {
	began := time.Now()
	c := newCount(os.Stdout)
	if err := run(c); err != nil {
		c.fail("testall: " + err.Error())
	}
	fmt.Printf("\n%s in all\n%d passed, %d failed\n", time.Since(began).Round(time.Second), c.passed, c.failed)
	if c.failed > 0 {
		os.Exit(1)
	}
}

func run(c *count) error {
	check(c, "gofmt", unformatted)
	check(c, "go vet", func() (string, error) { return output("go", "vet", "./...") })
	check(c, "lock files name no registry", registries)

	server, err := pg.Start()
	if err != nil {
		return err
	}
	defer server.Stop()
	env := append(os.Environ(), pg.Variable+"="+server.URL, "POSTERN_TEST_REQUIRE_ALL=1")

	if err := test(c, env, "./..."); err != nil {
		return err
	}
	if c.failed > 0 {
		return nil // what has failed need not fail again, slowly
	}
	fmt.Println("\nunder the race detector:")
	return test(c, env, append([]string{"-race", "-run", crowded, "-skip", outside}, existing(racy)...)...)
}

// check counts one step that says nothing when all is well.
func check(c *count, name string, step func() (string, error)) {
	complaints, err := step()
	if err == nil && complaints == "" {
		c.pass(name)
		return
	}
	if err != nil {
		complaints += err.Error() + "\n"
	}
	c.fail(name + "\n" + complaints)
}

// unformatted lists the files that are ours and not as gofmt writes them.
func unformatted() (string, error) {
	files, err := output("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.go")
	if err != nil || files == "" {
		return files, err
	}
	var there []string
	for _, f := range strings.Fields(files) {
		if _, err := os.Stat(f); err == nil { // removed files are listed until they are committed
			there = append(there, f)
		}
	}
	return output("gofmt", append([]string{"-l"}, there...)...)
}

// registries finds where a lock file says what it was downloaded from: npm
// writes the registry of whoever ran it, which nobody else may reach.
func registries() (string, error) {
	const file = "clients/package-lock.json"
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if bytes.Contains(text, []byte(`"resolved"`)) {
		return file + ": install with npm's --omit-lockfile-registry-resolved\n", nil
	}
	return "", nil
}

// output is all that a command says.
func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return string(out), err
}

// existing keeps the patterns that match packages; go test refuses the others.
func existing(patterns []string) []string {
	var found []string
	for _, p := range patterns {
		if _, err := os.Stat(strings.TrimSuffix(p, "/...")); err == nil {
			found = append(found, p)
		}
	}
	return found
}

func test(c *count, env []string, args ...string) error {
	// Three packages at a time, also on two processors: many tests wait.
	cmd := exec.Command("go", append([]string{"test", "-json", "-count=1", "-timeout=15m", "-p=3"}, args...)...)
	cmd.Env = env
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	before := c.failed
	err = c.read(events)
	// That tests failed has been counted; anything else that stopped go test has not.
	if exit := cmd.Wait(); exit != nil && c.failed == before {
		return fmt.Errorf("go test: %w\n%s", exit, trouble.String())
	}
	return err
}
