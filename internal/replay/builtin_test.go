package replay

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/transcript"
)

// The wires that come with the product say what their transcripts say, on both
// engines. A new dialect brings its folder, and is found here.
func TestBuiltInDialectsAnswerAsWritten(t *testing.T) {
	for _, name := range dialect.Builtin() {
		files, err := filepath.Glob("../../dialects/" + name + "/*.txt")
		if err != nil {
			t.Fatal(err)
		}
		if len(files) == 0 {
			t.Errorf("the dialect %s has no transcript", name)
		}
		for _, file := range files {
			t.Run(name+"/"+filepath.Base(file), func(t *testing.T) {
				t.Parallel()
				engines.Each(t, func(t *testing.T, database string) {
					playFile(t, file, Options{Dialect: config.Mount{Name: name}, Database: database})
				})
			})
		}
	}
}

func playFile(t *testing.T, file string, o Options) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := transcript.Parse(filepath.ToSlash(file), data)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Play(context.Background(), read, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Differences {
		t.Error(d)
	}
	if report.Exchanges == 0 {
		t.Error("nothing was said")
	}
}
