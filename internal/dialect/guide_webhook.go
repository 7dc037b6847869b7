package dialect

import "strings"

// verifiers check a webhook's signature. They are those of docs/webhooks.md,
// which a test runs.
var verifiers = []choice{
	{"node", "Node", "javascript", `// webhook.mjs; a program has it by: import { verify } from "./webhook.mjs";
import { createHmac, timingSafeEqual } from "node:crypto";

// body is the raw request body, a Buffer or string; headers have lower-case names.
export function verify(secret, headers, body) {
  const id = headers["webhook-id"], timestamp = headers["webhook-timestamp"];
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const wanted = createHmac("sha256", key).update(` + "`" + `${id}.${timestamp}.` + "`" + `).update(body).digest();
  return (headers["webhook-signature"] || "").split(" ").some((entry) => {
    const [version, signature] = entry.split(",");
    const given = Buffer.from(signature || "", "base64");
    return version === "v1" && given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}`},
	{"python", "Python", "python", `import base64, hashlib, hmac, time

# body is the raw request body, as bytes; headers have lower-case names.
def verify(secret, headers, body):
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(mac).decode()
    return any(hmac.compare_digest(wanted.encode(), given.encode())
               for given in headers.get("webhook-signature", "").split(" "))`},
	{"go", "Go", "go", `package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// verify takes the raw request body.
func verify(secret string, header http.Header, body []byte) bool {
	id, timestamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	wanted := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	for _, given := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(given), wanted) {
			return true
		}
	}
	return false
}`},
	{"php", "PHP", "php", `<?php

// $body is the raw request body: file_get_contents("php://input"); the names of
// $headers are in lower case.
function verify(string $secret, array $headers, string $body): bool
{
    $id = $headers["webhook-id"] ?? "";
    $timestamp = $headers["webhook-timestamp"] ?? "";
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(substr($secret, strlen("whsec_")));
    $wanted = "v1," . base64_encode(hash_hmac("sha256", "$id.$timestamp.$body", $key, true));
    foreach (explode(" ", $headers["webhook-signature"] ?? "") as $given) {
        if (hash_equals($wanted, $given)) {
            return true;
        }
    }
    return false;
}`},
}

func (g *guide) webhooks() {
	g.heading("Webhooks")
	g.say("If your app has a webhook URL, we tell it what happens to its connections, as [Standard Webhooks](https://www.standardwebhooks.com) say: a `POST` with the headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, and a body such as this.")
	g.code("", g.webhookSample())
	g.table([][]string{
		{"`connection.created`", g.text("a code was exchanged for the first time")},
		{"`connection.updated`", g.text("the connection's scopes changed")},
		{"`connection.deleted`", g.text("it ended, whoever ended it: forget its tokens")},
	}, g.text("type"), g.text("when"))
	g.say("Answer any `2xx` within 15 seconds; else we try again for three days. The same event may come twice, with the same `webhook-id`; those of one connection come in order. Verify the signature over the body as it arrived, before you parse it. This is a file of its own:")
	g.blocks = append(g.blocks, choices{verifiers})
	for _, e := range g.d.events {
		g.say("Beside it, `%s` comes in the older shape of this wire too:", e.event)
		g.code("", headersSample(e.headers)+sampleJSON(e.body))
		if s := e.sign; s != nil {
			hash, form, _ := strings.Cut(s.with, " ")
			hash = strings.ToUpper(hash)
			if s.prefix != "" {
				g.say("`%s` is `%s` and the HMAC-%s, in %s, of the body as it arrived, with your %s as key.", s.as, s.prefix, hash, form, g.text(s.key))
			} else {
				g.say("`%s` is the HMAC-%s, in %s, of the body as it arrived, with your %s as key.", s.as, hash, form, g.text(s.key))
			}
		}
	}
}

// webhookSample is a message about a connection, with the wire's own names.
func (g *guide) webhookSample() string {
	own := ""
	if g.d.eventData != nil {
		for _, m := range g.d.eventData.members {
			own += "," + string(m.key) + sampleJSON(m.tree)
		}
	}
	return `{"type":"connection.deleted","timestamp":"2026-11-24T20:26:22.000Z","data":{"connection_id":"con_…","sequence":2,"account_id":"acc_…"` + own + `,"reason":"account"}}`
}

func headersSample(all []member) string {
	out := ""
	for _, m := range all {
		said := "DIGEST"
		if m.tree != nil {
			said = treeSample(m.tree)
		}
		out += m.name + ": " + said + "\n"
	}
	return out + "\n"
}
