ip route add unreachable 192.0.2.0/24
ip route replace 198.51.100.0/24 via 203.0.113.1
