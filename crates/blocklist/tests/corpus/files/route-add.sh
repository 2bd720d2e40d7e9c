route add -host 192.0.2.1 reject
route add -net 198.51.100.0/24 reject
