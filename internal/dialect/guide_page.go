package dialect

import (
	"fmt"
	"html"
	"regexp"
	"strings"
)

// page is a guide as a list of blocks, which Markdown and HTML write each in its
// way. Texts hold `code`, **bold** and [links](…) and nothing else.
type page struct {
	in     Language
	title  string
	blocks []any
}

type (
	heading   struct{ text string }
	paragraph struct{ text string }
	points    struct{ items []string }
	table     struct {
		head []string
		rows [][]string
	}
	listing struct{ language, text string }
	// choices are one thing said in several languages.
	choices struct{ of []choice }
	choice  struct{ id, title, fence, text string }
)

func (p *page) heading(text string)        { p.blocks = append(p.blocks, heading{p.text(text)}) }
func (p *page) points(items ...string)     { p.blocks = append(p.blocks, points{items}) }
func (p *page) code(language, text string) { p.blocks = append(p.blocks, listing{language, text}) }
func (p *page) table(rows [][]string, head ...string) {
	if len(rows) > 0 {
		p.blocks = append(p.blocks, table{head, rows})
	}
}

// markdown writes the page as CommonMark with tables.
func (p *page) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", p.title)
	for _, block := range p.blocks {
		b.WriteByte('\n')
		switch block := block.(type) {
		case heading:
			fmt.Fprintf(&b, "## %s\n", block.text)
		case paragraph:
			fmt.Fprintf(&b, "%s\n", block.text)
		case points:
			for _, item := range block.items {
				fmt.Fprintf(&b, "- %s\n", item)
			}
		case table:
			row := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
			row(block.head)
			row(repeated("---", len(block.head)))
			for _, cells := range block.rows {
				row(barred(cells))
			}
		case listing:
			fmt.Fprintf(&b, "```%s\n%s\n```\n", block.language, block.text)
		case choices:
			for i, c := range block.of {
				if i > 0 {
					b.WriteByte('\n')
				}
				fmt.Fprintf(&b, "**%s**\n\n```%s\n%s\n```\n", c.title, c.fence, c.text)
			}
		}
	}
	return b.String()
}

func repeated(text string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = text
	}
	return out
}

// barred escapes what would end a cell.
func barred(cells []string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	return out
}

// Look is how a guide's page is dressed: the product's name, its style sheet and
// its icon, which stands in the page itself.
type Look struct {
	Name  string
	Style string // CSS
	Icon  string // a data: URL; empty: none
}

// html writes the page as one file that asks nobody for anything.
func (p *page) html(look Look) string {
	var b, contents strings.Builder
	var chosen []choice
	number := 0
	for _, block := range p.blocks {
		switch block := block.(type) {
		case heading:
			number++
			fmt.Fprintf(&b, "<h2 id=\"s%d\">%s</h2>\n", number, inline(block.text))
			fmt.Fprintf(&contents, "<li><a href=\"#s%d\">%s</a></li>\n", number, inline(block.text))
			continue
		case choices:
			for _, c := range block.of {
				if !containsChoice(chosen, c.id) {
					chosen = append(chosen, c)
				}
			}
		}
		writeBlock(&b, block)
	}
	icon := ""
	if look.Icon != "" {
		icon = fmt.Sprintf("<link rel=\"icon\" href=\"%s\">\n", html.EscapeString(look.Icon))
	}
	mark := ""
	if look.Icon != "" {
		mark = fmt.Sprintf("<img src=\"%s\" alt=\"\" width=\"28\" height=\"28\">", html.EscapeString(look.Icon))
	}
	return fmt.Sprintf(guidePage, html.EscapeString(p.in.Tag), html.EscapeString(p.title), html.EscapeString(look.Name), icon,
		styleText(look.Style+guideStyle+guidePageStyle+choiceStyle(chosen)), mark, html.EscapeString(look.Name),
		html.EscapeString(p.text("Contents")), contents.String(), inline(p.title), p.choosers(chosen), b.String())
}

// writeBlock writes what is no heading.
func writeBlock(b *strings.Builder, block any) {
	switch block := block.(type) {
	case paragraph:
		fmt.Fprintf(b, "<p>%s</p>\n", inline(block.text))
	case points:
		b.WriteString("<ul>\n")
		for _, item := range block.items {
			fmt.Fprintf(b, "<li>%s</li>\n", inline(item))
		}
		b.WriteString("</ul>\n")
	case table:
		block.html(b)
	case listing:
		fmt.Fprintf(b, "<pre tabindex=\"0\"><code>%s</code></pre>\n", html.EscapeString(block.text))
	case choices:
		block.html(b)
	}
}

// styleText keeps a style sheet inside its element.
func styleText(css string) string { return strings.ReplaceAll(css, "</", `<\/`) }

func containsChoice(all []choice, id string) bool {
	for _, c := range all {
		if c.id == id {
			return true
		}
	}
	return false
}

func (t table) html(b *strings.Builder) {
	b.WriteString("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>")
	for _, cell := range t.head {
		fmt.Fprintf(b, "<th scope=\"col\">%s</th>", inline(cell))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range t.rows {
		b.WriteString("<tr>")
		for i, cell := range row {
			fmt.Fprintf(b, "<td data-head=\"%s\">%s</td>", html.EscapeString(t.head[i]), inline(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table></div>\n")
}

// html writes the choices one below the other; the style sheet shows the one
// that is chosen, and all to browsers that cannot tell which.
func (c choices) html(b *strings.Builder) {
	b.WriteString("<div class=\"choices\">\n<div class=\"tabs\" aria-hidden=\"true\">")
	for _, one := range c.of {
		fmt.Fprintf(b, "<label for=\"in-%s\" class=\"tab-%s\">%s</label>", one.id, one.id, html.EscapeString(one.title))
	}
	b.WriteString("</div>\n")
	for _, one := range c.of {
		fmt.Fprintf(b, "<figure class=\"in-%s\"><figcaption>%s</figcaption><pre tabindex=\"0\"><code>%s</code></pre></figure>\n",
			one.id, html.EscapeString(one.title), html.EscapeString(one.text))
	}
	b.WriteString("</div>\n")
}

// choosers are the buttons by which a reader picks a language for the whole page.
// Each is named by itself: the tabs above every example are labels of it too, and
// all of them would be read out.
func (p *page) choosers(of []choice) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<fieldset class=\"pick\"><legend>%s</legend>\n", html.EscapeString(p.text("Show the code in")))
	for i, c := range of {
		checked := ""
		if i == 0 {
			checked = " checked"
		}
		title := html.EscapeString(c.title)
		fmt.Fprintf(&b, "<label><input type=\"radio\" name=\"in\" id=\"in-%s\" aria-label=\"%s\"%s> %s</label>\n", c.id, title, checked, title)
	}
	b.WriteString("</fieldset>\n")
	return b.String()
}

// choiceStyle hides what is not chosen. A block that lacks the chosen language
// shows its first.
func choiceStyle(of []choice) string {
	const shown = "{background:var(--surface);color:var(--text);font-weight:650}\n"
	var b strings.Builder
	for _, c := range of {
		fmt.Fprintf(&b, "body:has(#in-%[1]s:checked) .choices:has(.in-%[1]s) figure:not(.in-%[1]s),\n"+
			"body:has(#in-%[1]s:checked) .choices:not(:has(.in-%[1]s)) figure:not(:first-of-type){display:none}\n"+
			"body:has(#in-%[1]s:checked) .tab-%[1]s,\n"+
			"body:has(#in-%[1]s:checked) .choices:not(:has(.in-%[1]s)) label:first-child"+shown, c.id)
	}
	return b.String()
}

var inlinePattern = regexp.MustCompile("`([^`]+)`|\\*\\*([^*]+)\\*\\*|\\[([^\\]]+)\\]\\((https?://[^)\\s]+|#[^)\\s]+)\\)")

// inline writes a text's code, bold words and links as HTML.
func inline(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range inlinePattern.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(html.EscapeString(text[at:m[0]]))
		part := func(i int) string { return html.EscapeString(text[m[2*i]:m[2*i+1]]) }
		switch {
		case m[2] >= 0:
			b.WriteString("<code>" + part(1) + "</code>")
		case m[4] >= 0:
			b.WriteString("<strong>" + part(2) + "</strong>")
		default:
			b.WriteString("<a href=\"" + part(4) + "\" rel=\"noopener noreferrer\">" + part(3) + "</a>")
		}
		at = m[1]
	}
	b.WriteString(html.EscapeString(text[at:]))
	return b.String()
}

const guidePage = `<!DOCTYPE html>
<html lang="%s">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>%s · %s</title>
%s<style>
%s</style>
</head>
<body>
<header class="top"><div class="brand">%s<span>%s</span></div></header>
<main class="guide">
<nav aria-label="%[8]s"><details open><summary>%[8]s</summary><ol>
%s</ol></details></nav>
<article>
<h1>%s</h1>
%s%s</article>
</main>
</body>
</html>
`

// guidePageStyle lays out a guide that is a page of its own.
const guidePageStyle = `
.top, main.guide { max-width: 74rem; }
main.guide { display: grid; gap: 1rem 3rem; align-items: start; }
@media (min-width: 64rem) {
  main.guide { grid-template-columns: 14rem minmax(0, 1fr); }
  .guide nav { position: sticky; top: 1rem; max-height: calc(100vh - 2rem); overflow-y: auto; }
  .guide nav ol { columns: auto; }
}
`

// guideStyle is what guides have beside the product's own style sheet.
const guideStyle = `
.guide article { min-width: 0; }
.guide nav { font-size: .9375rem; }
.guide nav summary { cursor: pointer; font-weight: 650; padding: .625rem 0; }
.guide nav ol { list-style: none; margin: 0; padding: 0; columns: 16rem; }
.guide nav li a { display: block; padding: .375rem 0; text-decoration: none; }
.guide nav li a:hover { text-decoration: underline; }
.guide h1 { font-size: 1.875rem; margin-bottom: 1rem; }
.guide h2 { font-size: 1.3125rem; margin: 2.75rem 0 .75rem; scroll-margin-top: 1rem; }
.guide article > p, .guide article > ul { margin: .75rem 0; max-width: 46rem; }
.guide article > ul { padding-left: 1.25rem; }
.guide article > ul > li { margin: .375rem 0; }
.guide code { background: var(--sunken); border-radius: 4px; padding: .1em .3em; }
.guide pre { margin: 1rem 0; padding: .875rem 1rem; overflow-x: auto; background: var(--surface); border: 1px solid var(--line);
  border-radius: 8px; font-size: .875rem; line-height: 1.55; overflow-wrap: normal; tab-size: 4; }
.guide pre code { background: none; padding: 0; font-size: 1em; }
.pick { border: 0; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: center; margin: 1.25rem 0; }
.pick legend { float: left; font-weight: 650; margin-right: 1rem; }
.pick label { display: inline-flex; align-items: center; gap: .4rem; min-height: 44px; }
.pick input { accent-color: var(--accent); width: 1.125rem; height: 1.125rem; margin: 0; }
.choices { margin: 1rem 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; background: var(--surface); }
.tabs { display: flex; flex-wrap: wrap; background: var(--sunken); border-bottom: 1px solid var(--line); }
.tabs label { padding: .625rem 1rem; min-height: 44px; cursor: pointer; color: var(--soft); font-size: .9375rem; }
.choices figure { margin: 0; }
.choices figcaption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.choices pre { margin: 0; border: 0; border-radius: 0; }
@supports not selector(:has(a)) {
  .tabs, .pick { display: none; }
  .choices figcaption { position: static; width: auto; height: auto; clip-path: none; padding: .75rem 1rem 0; font-weight: 650; }
}
.scroll { overflow-x: auto; margin: 1rem 0; }
.guide table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
.guide th { text-align: left; font-weight: 650; color: var(--soft); padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--edge); }
.guide td { vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); }
.guide th, .guide td { overflow-wrap: break-word; }
.guide td:first-child code { white-space: nowrap; }
@media (max-width: 40rem) {
  .guide td:first-child code { white-space: normal; }
  .guide thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .guide table, .guide tbody, .guide tr, .guide td { display: block; }
  .guide tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .guide td { border: 0; padding: .1875rem 0; }
  .guide td::before { content: attr(data-head) ": "; color: var(--soft); }
}
@media print { .guide nav, .pick, .tabs { display: none; } }
`
