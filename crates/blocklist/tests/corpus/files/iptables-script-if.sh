#!/bin/sh
iptables -A INPUT -s 192.0.2.1 -j DROP
if [ -f /etc/x ]; then
iptables -D INPUT -s 192.0.2.1 -j DROP
fi
