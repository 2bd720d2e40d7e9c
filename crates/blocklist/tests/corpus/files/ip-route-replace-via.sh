ip route replace 192.0.2.0/24 via 198.51.100.1
ip route replace 203.0.113.0/24 via 198.51.100.1 dev eth0
