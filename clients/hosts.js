// Leads hosts of the world outside to the test's front (hosts_test.go): a
// client that takes no address from us asks for them with node's own fetch.
import { Agent, buildConnector, setGlobalDispatcher } from 'undici';

const names = process.env.HOSTS.split(' ');
const [hostname, port] = process.env.HOSTS_AT.split(':');
const leads = (host) => names.some((name) => (name.startsWith('*') ? host.endsWith(name.slice(1)) : host === name));

const connect = buildConnector({});
setGlobalDispatcher(new Agent({
  connect: (options, done) =>
    connect(leads(options.hostname) ? { ...options, hostname, port, servername: options.hostname } : options, done),
}));
