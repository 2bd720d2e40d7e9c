iptables -A INPUT -s 192.0.2.9 -m limit --limit 5/s -j ACCEPT
iptables -A INPUT -s 192.0.2.9 -j DROP
