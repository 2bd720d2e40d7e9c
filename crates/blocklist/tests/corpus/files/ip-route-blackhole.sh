ip route add blackhole 192.0.2.0/24
ip route add blackhole 198.51.100.7/32
