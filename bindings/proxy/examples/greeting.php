<?php
$memcached = new Memcached();
$memcached->addServer('127.0.0.1', 11212); // the proxy of this host
$memcached->set('greeting', 'hello');
echo $memcached->get('greeting'), "\n";
