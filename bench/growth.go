package main

import (
	"fmt"
	"strconv"
	"strings"
)

// measureGrowth measures the same operations with more and more stored tokens.
func (b *bench) measureGrowth(engine string) error {
	if b.growth == "" {
		return nil
	}
	p, err := b.newPlace(engine, "growth")
	if err != nil {
		return err
	}
	defer p.close()
	for text := range strings.SplitSeq(b.growth, ",") {
		stored, err := strconv.Atoi(text)
		if err != nil || stored < 1000 {
			return fmt.Errorf("-stored %s: write numbers from 1000 with commas between them", b.growth)
		}
		if err := b.grown(engine, p, stored); err != nil {
			return fmt.Errorf("%d stored tokens: %w", stored, err)
		}
	}
	return nil
}

func (b *bench) grown(engine string, p *place, stored int) error {
	n, err := b.prepare(p, resources(0))
	if err != nil {
		return err
	}
	if p.fill == nil {
		if p.fill, err = newFiller(p.database); err != nil {
			return err
		}
	}
	if err := p.fill.ensureFamilies(stored / 2); err != nil {
		return err
	}
	if err := p.fill.settle(); err != nil {
		return err
	}
	if err := n.start(); err != nil {
		return err
	}
	defer n.stop()
	s := b.report.subject(fmt.Sprintf("%s growth %d", engine, stored), fmt.Sprintf("Postern, %s, %s tokens", proper(engine), thousands(stored)))
	s.Tokens = stored
	n.startFacts(s)
	r := &series{bench: b, node: n, fill: p.fill, s: s}
	r.growing(stored)
	if r.err == nil {
		s.fact("resident afterwards", n.residentMiB(), "MiB")
		r.err = b.report.print(s)
	}
	return r.err
}

// growing is what is measured at each size. Tokens are taken from all over the
// table, each size others, so that none was seen or refreshed before.
func (r *series) growing(stored int) {
	w, families, reads := &wires[0], stored/2, min(3*r.n, stored/4)
	spread := func(i int) int { return int(uint64(i) * 2654435761 % uint64(families)) }
	r.exchanges("exchange", w, fmt.Sprint("growth", stored), 1)
	writes := min(r.n, families/4)
	r.add("refresh, rotating", writes/4, writes, func(i int) error {
		_, err := r.node.refresh(w, secretText("refresh", families-1-i)) // the newest: of this size alone
		return err
	})
	r.add("check, first sight", 0, reads, func(i int) error { return r.node.check(w, secretText("access", spread(i))) })
	r.add("check, seen before", reads, 3*reads, func(i int) error { return r.node.check(w, secretText("access", spread(i%reads))) })
	r.add("introspection, many tokens", reads, reads, func(i int) error { return r.node.introspect(secretText("access", spread(i%reads))) })
}

func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
