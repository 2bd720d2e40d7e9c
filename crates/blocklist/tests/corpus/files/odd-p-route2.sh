ip route add unreachable 198.51.100.0/24
ip route add 198.51.100.4 via 91.1.1.1
