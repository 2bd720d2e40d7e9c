#iptables -A INPUT -s 192.0.2.9 -j DROP
iptables -A INPUT -s 198.51.100.4 -j DROP
