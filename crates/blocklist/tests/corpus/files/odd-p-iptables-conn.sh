iptables -A INPUT -m state --state NEW -j ACCEPT
iptables -A INPUT -s 192.0.2.9 -j DROP
