// Package markup reads HTML as a person would: its elements in their order, and
// the text that they show.
package markup

import (
	"iter"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Elements walks over the elements of these names, in page order.
func Elements(root *html.Node, names ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && slices.Contains(names, n.Data) && !yield(n) {
				return
			}
		}
	}
}

// Attribute is an attribute's value, "" when there is none.
func Attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// Has reports whether an element has an attribute, with or without a value.
func Has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// Text is what a person reads below a node.
func Text(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
