#!/bin/sh
for ip in 192.0.2.1 198.51.100.7; do
  iptables -A INPUT -s $ip -j DROP
done
