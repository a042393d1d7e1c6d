<?php
// A client with ext-memcached for through.py: one command a line on standard input, one answer a line.
$servers = array_map(fn ($address) => explode(':', $address), explode(',', $argv[1]));
$memcached = new Memcached();
$memcached->setOptions([
	Memcached::OPT_COMPRESSION => false,
	Memcached::OPT_RECV_TIMEOUT => 5000000,
	Memcached::OPT_SEND_TIMEOUT => 5000000,
	Memcached::OPT_POLL_TIMEOUT => 5000,
	Memcached::OPT_TCP_NODELAY => true,
	Memcached::OPT_RETRY_TIMEOUT => 1,
	Memcached::OPT_LIBKETAMA_COMPATIBLE => count($servers) > 1,
]);
foreach ($servers as [$host, $port])
	$memcached->addServer($host, (int)$port);

function answer(Memcached $memcached, string $done, string $not): string
{
	$code = $memcached->getResultCode();
	$expected = [Memcached::RES_NOTFOUND, Memcached::RES_NOTSTORED, Memcached::RES_DATA_EXISTS];
	if ($code === Memcached::RES_SUCCESS)
		return $done;
	return in_array($code, $expected, true) ? $not : 'failed ' . strtr($memcached->getLastErrorMessage(), "\n", ' ');
}

while (($line = fgets(STDIN)) !== false) {
	$words = explode(' ', rtrim($line, "\n"));
	switch ($words[0]) {
	case 'get':
		$found = $memcached->get($words[1], null, Memcached::GET_EXTENDED);
		echo is_array($found) ? "value {$found['cas']} {$found['value']}"
			: answer($memcached, 'failed without a value', 'missed'), "\n";
		break;
	case 'set':
		$memcached->set($words[1], $words[2]);
		echo answer($memcached, 'stored', 'failed not stored'), "\n";
		break;
	case 'add':
		$memcached->add($words[1], $words[2]);
		echo answer($memcached, 'stored', 'not stored'), "\n";
		break;
	case 'cas':
		$memcached->cas($words[3], $words[1], $words[2]);
		$gone = $memcached->getResultCode() === Memcached::RES_NOTFOUND;
		echo answer($memcached, 'stored', $gone ? 'not found' : 'not stored'), "\n";
		break;
	case 'delete':
		$memcached->delete($words[1]);
		echo answer($memcached, 'deleted', 'not found'), "\n";
		break;
	case 'incr':
		$number = $memcached->increment($words[1]);
		echo answer($memcached, (string)$number, 'not found'), "\n";
		break;
	}
}
