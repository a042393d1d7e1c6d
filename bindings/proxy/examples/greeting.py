import pylibmc

client = pylibmc.Client(["127.0.0.1:11212"])  # the proxy of this host
client.set("greeting", "hello")
print(client.get("greeting"))
