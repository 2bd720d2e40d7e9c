ip route add blackhole 198.51.100.4
