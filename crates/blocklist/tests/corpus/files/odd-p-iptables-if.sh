if [ -f /x ]; then
iptables -A INPUT -s 192.0.2.9 -j DROP
fi
