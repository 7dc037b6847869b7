package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

func (d *Console) app(v *entry.Visit) error {
	row, err := d.Rows.AppRow(v.R.Context(), v.R.PathValue("app"))
	if err != nil {
		return err
	}
	return d.showApp(v, http.StatusOK, row, ui.NewForm(nil))
}

func (d *Console) showApp(v *entry.Visit, status int, row *registry.App, form *ui.Form) error {
	ctx := v.R.Context()
	catalogue, err := d.Rows.ScopeCatalogue(ctx)
	if err != nil {
		return err
	}
	page := &ui.ReviewedAppPage{
		StaffFrame: done(v, v.Frame("review")), App: row.AsItIs(), Waits: row.WaitsForReview(), New: !row.Live(), Since: row.ReviewedAt,
		Verdict: row.Verdict, Token: v.Token(aboutApp, row.ID), Seen: registry.Seen(row), LogoProblem: entry.Said(row.LogoProblem),
		Reason: form.Field(ui.Field{Name: "reason", Label: ui.Say("Reason"), Type: "lines", Most: 1000, Hint: ui.Say("Its people read it. A rejection needs one.")}),
	}
	if row.Proposal != nil {
		page.Since = row.Proposal.At
		page.Proposal = &ui.Proposed{Proposal: *row.Proposal, Differences: entry.Differences(row, catalogue, v.Path("/apps/"+row.ID+"/proposed.png"))}
		if page.Proposal.By, err = d.Rows.StaffName(ctx, row.Proposal.By); err != nil {
			return err
		}
	}
	noScopes := d.Rules.NoScopes(row.Dialect)
	if !noScopes {
		page.Scopes = scopeReasons(row, catalogue)
	}
	page.Preview = entry.ConsentPreview(row.AsWished(), catalogue, noScopes)
	if page.Proposal != nil {
		page.Preview.Picture = page.Proposal.Logo()
	}
	return v.Show(status, page)
}

func scopeReasons(row *registry.App, catalogue []postern.Scope) (list []ui.ScopeReason) {
	for _, name := range registry.Wished(row).Scopes {
		list = append(list, ui.ScopeReason{
			Name: name, Text: postern.ScopeText(catalogue, name), Reason: row.Reasons[name],
			New: row.Live() && !slices.Contains(row.Scopes, name),
		})
	}
	return list
}

func (d *Console) proposedLogo(v *entry.Visit) error {
	png, err := d.Rows.ProposedLogo(v.R.Context(), v.R.PathValue("app"))
	if err != nil {
		return err
	}
	return v.Image(png)
}

func (d *Console) answerApp(v *entry.Visit) error {
	row, err := d.Rows.AppRow(v.R.Context(), v.R.PathValue("app"))
	if err != nil {
		return err
	}
	if err := v.Proved(aboutApp, row.ID); err != nil {
		return err
	}
	said, err := v.Fields("answer", "reason", "seen")
	if err != nil {
		return err
	}
	answer, word := d.Rules.RejectApp, "rejected"
	if said[0] == "approve" {
		answer, word = d.Rules.ApproveApp, "approved"
	}
	_, err = answer(v.R.Context(), v.By(), row.ID, oneLine(said[1]), said[2])
	if found, wrong := errors.AsType[registry.Findings](err); wrong {
		form := ui.NewForm(v.R.PostForm)
		entry.AddFindings(form, found)
		return d.showApp(v, http.StatusOK, row, form)
	}
	if postern.Is(err, postern.Conflict) {
		return d.askAnew(v, row.ID, err)
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "?done=" + word)
}

// askAnew shows the app as it is by now, with what was written about it before.
func (d *Console) askAnew(v *entry.Visit, appID string, conflict error) error {
	row, err := d.Rows.AppRow(v.R.Context(), appID)
	if err != nil {
		return err
	}
	why, told := errors.AsType[*postern.Error](conflict)
	if !told || !row.WaitsForReview() {
		return conflict
	}
	form := ui.NewForm(v.R.PostForm)
	form.Refuse("reason", ui.SayError(why))
	return d.showApp(v, http.StatusConflict, row, form)
}

// oneLine is a text of several lines as one.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func (d *Console) askToSwitchApp(v *entry.Visit) error {
	row, err := d.Rows.AppRow(v.R.Context(), v.R.PathValue("app"))
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("review"), Heading: ui.Say("Switch %s off?", row.Name), Button: ui.Say("Switch off"),
		Says: []ui.Text{
			ui.Say("Its tokens are of no use from that moment, everywhere, and it gets no others. Nobody can connect it."),
			ui.Say("Its connections stay. Only an operator can switch it on again."),
		},
		Token: v.Token(aboutApp, row.ID), Action: v.Path("/apps/" + row.ID + "/off"), Back: v.Path("/apps/" + row.ID),
	})
}

func (d *Console) switchApp(off bool) func(v *entry.Visit) error {
	return func(v *entry.Visit) error {
		id := v.R.PathValue("app")
		if err := v.Proved(aboutApp, id); err != nil {
			return err
		}
		if off && !v.Fresh() {
			return v.AskAgain()
		}
		if err := d.Rules.SwitchApp(v.R.Context(), v.By(), id, off); err != nil {
			return err
		}
		return v.Go("/apps/" + id + "?done=" + switched(off))
	}
}

func switched(off bool) string {
	if off {
		return "off"
	}
	return "on"
}
