iptables -A INPUT -s 192.0.2.9 -m time --timestart 10:00 -j DROP
