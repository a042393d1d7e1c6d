// clients.mjs HOST:PORT KEYS NAME: one stock client that has its servers from the discovery endpoint; a
// program for scenarios.  NAME: memcache, memcache-older (the older form of the question),
// memcached-elasticache or elasticache-client.
//
// Commands on standard input, one a line, each answered with one line:
//   servers       how many it has now
//   write WHAT    all keys, with values that say WHAT                  -> how many were stored
//   read WHAT     all keys                                             -> "found N wrong N missed N"
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const [endpoint, keys, name] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const POLL_MS = 300;
console.log = () => {}; // elasticache-client talks to whoever reads our answers
const say = (line) => process.stdout.write(line + "\n");

// The ring of a list that says "ketama"; memcache's own is nobody else's.
class Ketama {
	name = "libketama";
	nodeMap = new Map();
	get nodes() { return [...this.nodeMap.values()]; }
	addNode(node) { this.nodeMap.set(node.id, node); this.remake(); }
	removeNode(id) { this.nodeMap.delete(id); this.remake(); }
	getNode(id) { return this.nodeMap.get(id); }
	getNodesByKey(key) { return [this.nodeMap.get(this.ring.get(key))]; }
	remake() { this.ring = new (require("hashring"))([...this.nodeMap.keys()], "md5"); }
}

async function memcache(older) {
	const { Memcache } = await import("memcache");
	const client = new Memcache({
		nodes: [endpoint],
		hash: new Ketama(),
		autoDiscover: { enabled: true, configEndpoint: endpoint, pollingInterval: POLL_MS, useLegacyCommand: older },
	});
	for (const event of ["error", "autoDiscoverError"])
		client.on(event, (...what) => process.stderr.write(`${event} ${what.join(" ")}\n`));
	await client.connect();
	return {
		servers: () => client.nodeIds.length,
		set: (key, value) => client.set(key, value),
		get: (key) => client.get(key),
	};
}

// What both descendants of node-memcached have.
const called = (client, servers) => ({
	servers,
	set: (key, value) => new Promise((done) => client.set(key, value, 0, (error, ok) => done(!error && ok))),
	get: (key) => new Promise((done) => client.get(key, (error, value) => done(error ? undefined : value))),
});

function memcachedElasticache() {
	const client = new (require("memcached-elasticache"))(endpoint, { autoDiscoverInterval: POLL_MS });
	let count = 0;
	client.on("autoDiscover", (nodes) => { count = nodes.length; });
	client.on("autoDiscoverFailure", (error) => process.stderr.write(`autoDiscoverFailure ${error}\n`));
	return called(client, () => count);
}

function elasticacheClient() {
	const client = new (require("elasticache-client"))(endpoint, { autodiscovery: true, update_time: POLL_MS }, {});
	return called(client, () => client.memcached.servers.length);
}

const client = {
	memcache: () => memcache(false),
	"memcache-older": () => memcache(true),
	"memcached-elasticache": memcachedElasticache,
	"elasticache-client": elasticacheClient,
};
const made = await client[name]();
const all = Array.from({ length: keys }, (_, number) => `${name}:${number}`);

for await (const line of createInterface({ input: process.stdin })) {
	const [command, what] = line.split(" ");
	if (command === "servers") {
		say(String(made.servers()));
	} else if (command === "write") {
		let stored = 0;
		for (const key of all) stored += (await made.set(key, `${key}=${what}`)) ? 1 : 0;
		say(String(stored));
	} else {
		const count = { found: 0, wrong: 0, missed: 0 };
		for (const key of all) {
			const value = await made.get(key);
			if (value === undefined || value === null) count.missed++;
			else if (String(value) === `${key}=${what}`) count.found++;
			else count.wrong++;
		}
		say(`found ${count.found} wrong ${count.wrong} missed ${count.missed}`);
	}
}
process.exit(0);
