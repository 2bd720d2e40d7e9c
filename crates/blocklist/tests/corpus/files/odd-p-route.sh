ip route add blackhole 192.0.2.9
ip route del blackhole 192.0.2.9
