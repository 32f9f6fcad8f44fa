package web

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// policy lets a page have what this server serves as files, and nothing that is
// written into it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// headers sets what tells browsers how little these pages need.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("Strict-Transport-Security", "max-age=31536000")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), usb=(), serial=()")
		h.Set("Cache-Control", "no-store") // files say otherwise
		next.ServeHTTP(w, r)
	})
}

// Cookies. The prefix makes browsers refuse them from anything but this host by
// HTTPS.
const (
	// SessionCookie has the secret of a login.
	SessionCookie = "__Host-ingot-session"
	visitCookie   = "__Host-ingot-visit" // of who has no session yet: forms need a secret, too
	noticeCookie  = "__Host-ingot-notice"
)

func setCookie(w http.ResponseWriter, name, value string, maxAgeSeconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAgeSeconds,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func dropCookie(w http.ResponseWriter, name string) { setCookie(w, name, "", -1) }

func cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// visitSecret returns the secret that a form of this browser is bound to: that of
// its session, or one made for it.
func visitSecret(w http.ResponseWriter, r *http.Request) string {
	if s := cookie(r, SessionCookie); s != "" {
		return s
	}
	if s := cookie(r, visitCookie); len(s) >= 20 {
		return s
	}
	s := rand.Text()
	setCookie(w, visitCookie, s, 0)
	return s
}

// formToken is what every form carries in its field "csrf". Who cannot read the
// cookie cannot make it.
func formToken(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("ingot form"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func validToken(secret, token string) bool {
	return hmac.Equal([]byte(formToken(secret)), []byte(token))
}
