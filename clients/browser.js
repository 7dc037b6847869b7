// What a script says to the test that runs it. A script is a partner's site: it
// has an address for a browser to visit and waits for the browser to come back.
// The test (clients_test.go) plays the person: it signs in, answers, and returns
// where the browser was sent.
//
// Each message is one line of JSON on standard output; answers come by line on
// standard input.
import { createInterface } from 'node:readline';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// allow sends the person to an authorize URL and gives the URL they came back
// to after they allowed.
export const allow = (url) => ask({ allow: String(url) });

// deny is the same with the other answer.
export const deny = (url) => ask({ deny: String(url) });

// did tells a thing that was exercised, for the table in README.md.
export const did = (what) => say({ did: what });

// finish closes the input, without which node would not end.
export const finish = () => process.stdin.destroy();

export const { POSTERN_URL, CLIENT_ID, CLIENT_SECRET, REDIRECT_URL, API_ID, API_SECRET } = process.env;

async function ask(message) {
  say(message);
  const { value, done } = await answers.next();
  if (done) throw new Error('the test went away');
  return new URL(JSON.parse(value));
}

function say(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}
