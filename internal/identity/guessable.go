package identity

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// guessable reports whether a password that a person chose is among the first that
// anybody tries (NIST SP 800-63B §5.1.1.2): a word of the list below or the
// person's own e-mail, however it is dressed up, or one that a finger drew.
func guessable(password, email string) bool {
	plain := undressed(password)
	name, host, _ := strings.Cut(strings.ToLower(email), "@")
	company, _, _ := strings.Cut(host, ".")
	for _, word := range append([]string{undressed(name), undressed(company), undressed(name + host)}, firstTried...) {
		if word != "" && strings.Trim(strings.ReplaceAll(plain, word, " "), " ") == "" && plain != "" {
			return true
		}
	}
	return drawn(strings.ToLower(password))
}

// dress are the figures and signs that stand for letters.
var dress = strings.NewReplacer("@", "a", "4", "a", "3", "e", "1", "i", "!", "i", "0", "o", "$", "s", "5", "s", "7", "t")

// undressed is a password without what is put around its word, and with letters
// where figures stand for them: "P4ssw0rd!2026" is "password".
func undressed(password string) string {
	text := strings.ToLower(norm.NFKC.String(password))
	text = strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !strings.ContainsRune("@$", r) })
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, dress.Replace(text))
}

// drawn reports whether a password is a way over a keyboard, a count, or few
// characters again and again: each is at most one step from that before it.
func drawn(password string) bool {
	const rows = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop asdfghjkl zxcvbnm qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn 1qaz2wsx3edc4rfv5tgb6yhn7ujm 1q2w3e4r5t6y7u8i9o0p 5t6z7u"
	turns := 0
	all := []rune(password)
	for i := 1; i < len(all); i++ {
		if all[i] != all[i-1] && !strings.Contains(rows, string(all[i-1:i+1])) && !strings.Contains(rows, string([]rune{all[i], all[i-1]})) {
			turns++
		}
	}
	return turns <= len(all)/5
}

// firstTried are words of which lists of leaked passwords are full, undressed.
var firstTried = strings.Fields(`
password passwort passw passwd motdepasse contrasena welcome willkommen bienvenue letmein login logmein signin
admin administrator root superuser master manager system server service test tester testing demo guest user
changeme changeit secret geheim default temporary temp access security private office company
qwerty qwertz azerty asdf asdfgh zxcvbn iloveyou loveyou ichliebedich sunshine princess monkey dragon football baseball
basketball soccer hockey liverpool chelsea arsenal barcelona superman batman spiderman pokemon starwars trustno
whatever freedom summer winter autumn spring sommer herbst fruehling frühling januar january februar february march april
june july august september october november december monday friday internet computer samsung google facebook linkedin
michael jennifer jessica jordan charlie andrew daniel thomas nicole ashley hannah michelle matthew robert
hello hallo world helloworld abc abcd shadow ninja mustang corvette ferrari mercedes porsche harley
cookie chocolate butterfly flower purple orange pepper ginger hunter killer lovely babygirl angel family forever
fuckyou postern oauth partner developer portal`)
