// greeting.js HOST:PORT - stores a value and reads it with a stock client, which has the servers from the
// agent's discovery endpoint.
const Client = require("memcached-elasticache");

const client = new Client(process.argv[2], { autoDiscoverInterval: 10000 });
client.once("autoDiscover", () => {
	client.set("greeting", "good morning", 60, () => {
		client.get("greeting", (error, value) => {
			console.log(error || value);
			client.end();
		});
	});
});
