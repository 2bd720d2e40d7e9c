iptables -A INPUT -d 192.0.2.9 -j DROP
