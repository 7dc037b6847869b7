package identity

import (
	"testing"

	"postern.dev/postern"
)

func TestNobodyChoosesAPasswordThatIsTriedFirst(t *testing.T) {
	for _, password := range []string{
		"password", "Password1", "P4ssw0rd!", "p@$$w0rd2026", "passwordpassword", "12345678", "1234567890", "87654321", "qwertyuiop", "Qwertz123",
		"11111111", "aaaaaaaaaa", "12121212", "abcdefgh", "abcabcabc", "1q2w3e4r", "1qaz2wsx", "zaq12wsx", "iloveyou2", "Sommer2026!", "letmein!!!", "Welcome2026", "admin123", "adminadmin",
		"ＰＡＳＳＷＯＲＤ１", "ada.lovelace", "Ada-Lovelace1", "partner1", "analytical99", "!!!!!!!!", "........",
	} {
		if !guessable(password, "Ada.Lovelace@analytical.test") {
			t.Errorf("%q is taken", password)
		}
	}
	for _, password := range []string{
		"a small gate in the wall", "correct horse battery staple", "tr0ub4dor&3", "kW8#qz!p", "zwölf grüne Äpfel", "summer rain on tin", "partner-of-the-owl",
		"19840312", "83651947", "Zx9-Lq2-Vt7", "密码是一个秘密", "ada likes engines", "mypasswordislong",
	} {
		if guessable(password, "ada.lovelace@analytical.test") {
			t.Errorf("%q is refused", password)
		}
	}
	// Whoever declares a password knows why; only what people choose is looked at.
	if _, err := rules().HashPassword("password"); err != nil {
		t.Error(err)
	}
	if _, err := rules().hashChosen(t.Context(), "Password1", "a@b.test"); postern.KindOf(err) != postern.InvalidRequest {
		t.Errorf("chosen: %v", err)
	}
}
