block() { iptables -A INPUT -s $1 -j DROP; }
block 192.0.2.9
